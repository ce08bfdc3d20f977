-- scope: sys, tenant
-- SCNs are shown for user tenants; UNIT_NUM is per zone
SELECT t.tenant_id AS TENANT_ID,
       t.name AS TENANT_NAME,
       CAST(IF(t.tenant_id = 1, 'SYS', 'USER') AS CHAR(4)) AS TENANT_TYPE,
       t.create_time AS CREATE_TIME,
       t.modify_time AS MODIFY_TIME,
       t.primary_zone AS PRIMARY_ZONE,
       t.locality AS LOCALITY,
       CAST(NULL AS CHAR(512)) AS PREVIOUS_LOCALITY,
       t.mode AS COMPATIBILITY_MODE,
       t.status AS STATUS,
       CAST('NO' AS CHAR(3)) AS IN_RECYCLEBIN,
       CAST(IF(t.locked, 'YES', 'NO') AS CHAR(3)) AS LOCKED,
       t.role AS TENANT_ROLE,
       t.switchover_status AS SWITCHOVER_STATUS,
       t.switchover_epoch AS SWITCHOVER_EPOCH,
       IF(t.tenant_id = 1, NULL, GREATEST(t.sync_scn, IFNULL(c.scn, t.sync_scn))) AS SYNC_SCN,
       IF(t.tenant_id = 1, NULL, GREATEST(t.sync_scn, IFNULL(c.scn, t.sync_scn))) AS REPLAYABLE_SCN,
       IF(t.tenant_id = 1, NULL, GREATEST(t.readable_scn, IFNULL(c.scn, t.readable_scn))) AS READABLE_SCN,
       IF(t.tenant_id = 1, NULL, t.recovery_until_scn) AS RECOVERY_UNTIL_SCN,
       t.log_mode AS LOG_MODE,
       CAST('DISABLED' AS CHAR(64)) AS ARBITRATION_SERVICE_STATUS,
       (SELECT COALESCE(COUNT(*) DIV COUNT(DISTINCT u.zone), 0)
        FROM tidemark.unit u WHERE u.tenant_id = t.tenant_id) AS UNIT_NUM,
       '4.3.3.0' AS COMPATIBLE,
       IF(t.tenant_id = 1, BIGINT(1), BIGINT(1001)) AS MAX_LS_ID,
       CAST(t.restore_data_mode AS CHAR(128)) AS RESTORE_DATA_MODE
FROM tidemark.tenant t
LEFT JOIN tidemark.archive_covered c ON c.tenant_id = t.tenant_id

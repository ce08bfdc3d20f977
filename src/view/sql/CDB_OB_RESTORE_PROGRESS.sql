-- scope: sys, tenant
-- two rows per restore: sys's, which says what is restored from what, and the tenant's, which has the numbers
SELECT v.tenant_id AS TENANT_ID,
       r.job_id AS JOB_ID,
       LONGTEXT(r.tenant_name) AS RESTORE_TENANT_NAME,
       r.tenant_id AS RESTORE_TENANT_ID,
       LONGTEXT(r.backup_tenant_name) AS BACKUP_TENANT_NAME,
       LONGTEXT(r.backup_tenant_id) AS BACKUP_TENANT_ID,
       LONGTEXT(r.backup_cluster_name) AS BACKUP_CLUSTER_NAME,
       r.backup_dest AS BACKUP_DEST,
       LONGTEXT(r.restore_option) AS RESTORE_OPTION,
       r.restore_scn AS RESTORE_SCN,
       SCN_TEXT(r.restore_scn) AS RESTORE_SCN_DISPLAY,
       LONGTEXT(v.status) AS STATUS,
       CAST(r.start_time AS CHAR(26)) AS START_TIMESTAMP,
       r.set_list AS BACKUP_SET_LIST,
       r.piece_list AS BACKUP_PIECE_LIST,
       v.total_bytes AS TOTAL_BYTES,
       BYTES_DISPLAY(v.total_bytes, 27) AS TOTAL_BYTES_DISPLAY,
       v.finish_bytes AS FINISH_BYTES,
       BYTES_DISPLAY(v.finish_bytes, 27) AS FINISH_BYTES_DISPLAY,
       LONGTEXT(COALESCE(r.description, '')) AS DESCRIPTION,
       r.restore_type AS RESTORE_TYPE,
       v.recover_scn AS RECOVER_SCN,
       SCN_TIME(v.recover_scn) AS RECOVER_SCN_DISPLAY,
       -- how much of the log between the backup set and the target is replayed
       PERCENT_BETWEEN(r.recover_start_scn, v.recover_scn, r.restore_scn, 6) AS RECOVER_PROGRESS,
       v.tablet_count AS TABLET_COUNT,
       v.finish_tablet_count AS FINISH_TABLET_COUNT,
       PERCENT(v.finish_bytes, v.total_bytes, 6) AS RESTORE_PROGRESS
FROM tidemark.restore_job r JOIN (
    SELECT job_id, BIGINT(1) AS tenant_id, sys_status AS status, NULL AS total_bytes, NULL AS finish_bytes,
           IF(FALSE, recover_scn, NULL) AS recover_scn, NULL AS tablet_count, NULL AS finish_tablet_count
    FROM tidemark.restore_job
    UNION ALL
    SELECT job_id, tenant_id, tenant_status, total_bytes, IF(total_bytes IS NULL, NULL, finish_bytes), recover_scn,
           tablet_count, finish_tablet_count
    FROM tidemark.restore_job WHERE tenant_status IS NOT NULL) v ON v.job_id = r.job_id
ORDER BY r.job_id, v.tenant_id

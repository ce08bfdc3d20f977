-- scope: sys, tenant
-- two rows per restore, as in CDB_OB_RESTORE_PROGRESS; the tenant's only if it came to exist
SELECT v.tenant_id AS TENANT_ID,
       r.job_id AS JOB_ID,
       r.tenant_name AS RESTORE_TENANT_NAME,
       r.tenant_id AS RESTORE_TENANT_ID,
       r.backup_tenant_name AS BACKUP_TENANT_NAME,
       r.backup_tenant_id AS BACKUP_TENANT_ID,
       r.backup_cluster_name AS BACKUP_CLUSTER_NAME,
       r.backup_dest AS BACKUP_DEST,
       r.restore_scn AS RESTORE_SCN,
       SCN_TEXT(r.restore_scn) AS RESTORE_SCN_DISPLAY,
       r.restore_option AS RESTORE_OPTION,
       r.start_time AS START_TIMESTAMP,
       r.finish_time AS FINISH_TIMESTAMP,
       CAST(IF(r.sys_status = 'RESTORE_SUCCESS', 'SUCCESS', 'FAIL') AS CHAR(64)) AS STATUS,
       r.piece_list AS BACKUP_PIECE_LIST,
       r.set_list AS BACKUP_SET_LIST,
       r.backup_cluster_version AS BACKUP_CLUSTER_VERSION,
       BIGINT(1) AS LS_COUNT,
       BIGINT(r.sys_status = 'RESTORE_SUCCESS') AS FINISH_LS_COUNT,
       r.tablet_count AS TABLET_COUNT,
       r.finish_tablet_count AS FINISH_TABLET_COUNT,
       COALESCE(r.total_bytes, 0) AS TOTAL_BYTES,
       BYTES_DISPLAY(COALESCE(r.total_bytes, 0), 27) AS TOTAL_BYTES_DISPLAY,
       r.finish_bytes AS FINISH_BYTES,
       BYTES_DISPLAY(r.finish_bytes, 27) AS FINISH_BYTES_DISPLAY,
       r.description AS DESCRIPTION,
       r.comment AS COMMENT,
       r.restore_type AS RESTORE_TYPE
FROM tidemark.restore_job_history r JOIN (
    SELECT job_id, BIGINT(1) AS tenant_id FROM tidemark.restore_job_history
    UNION ALL
    SELECT job_id, tenant_id FROM tidemark.restore_job_history WHERE tenant_status IS NOT NULL) v
    ON v.job_id = r.job_id
ORDER BY r.job_id, v.tenant_id

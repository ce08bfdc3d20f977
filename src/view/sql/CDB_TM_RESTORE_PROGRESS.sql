-- scope: sys, tenant
-- Tidemark's own: how far each restore has come, and how long it still takes. One row per restore: that of the tenant.
SELECT r.tenant_id AS TENANT_ID,
       r.job_id AS JOB_ID,
       r.tenant_name AS RESTORE_TENANT_NAME,
       COALESCE(r.tenant_status, r.sys_status) AS STATUS,
       CAST(r.start_time AS DATETIME(6)) AS START_TIMESTAMP,
       BIGINT(TIMESTAMPDIFF(SECOND, r.start_time, COALESCE(r.finish_time, NOW(6)))) AS ELAPSED_SECONDS,
       PERCENT(r.finish_bytes, r.total_bytes, 26) AS RESTORE_PROGRESS,
       PERCENT_BETWEEN(r.recover_start_scn, r.recover_scn, r.restore_scn, 26) AS RECOVER_PROGRESS,
       CAST(IF(r.finish_time IS NULL, r.milliseconds_left / 1000, NULL) AS DECIMAL(20, 1)) AS SECONDS_LEFT
FROM tidemark.restore_job r

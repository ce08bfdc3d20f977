-- scope: sys, tenant
-- Tidemark's own: how far each backup has come, and how long it still takes.
SELECT t.tenant_id AS TENANT_ID,
       t.job_id AS JOB_ID,
       t.backup_set_id AS BACKUP_SET_ID,
       t.status AS STATUS,
       CAST(t.start_time AS DATETIME(6)) AS START_TIMESTAMP,
       BIGINT(TIMESTAMPDIFF(SECOND, t.start_time, NOW(6))) AS ELAPSED_SECONDS,
       PERCENT(t.finish_macro_block_count, t.macro_block_count, 26) AS DATA_PROGRESS,
       PERCENT(t.finish_log_file_count, t.log_file_count, 26) AS LOG_PROGRESS,
       CAST(IF(t.status = 'CANCELING', NULL, t.milliseconds_left / 1000) AS DECIMAL(20, 1)) AS SECONDS_LEFT
FROM tidemark.backup_task t

-- scope: sys, tenant
SELECT j.tenant_id AS TENANT_ID,
       j.job_id AS JOB_ID,
       BIGINT(1) AS INCARNATION,
       j.initiator_tenant_id AS INITIATOR_TENANT_ID,
       j.initiator_job_id AS INITIATOR_JOB_ID,
       CAST(j.tenant_id AS CHAR(512)) AS EXECUTOR_TENANT_ID,
       j.delete_type AS TYPE,
       CAST(IFNULL(CAST(j.expiry AS CHAR(26)), j.parameter) AS CHAR(512)) AS PARAMETER,
       j.job_level AS JOB_LEVEL,
       j.start_time AS START_TIMESTAMP,
       j.end_time AS END_TIMESTAMP,
       j.status AS STATUS,
       j.task_count AS TASK_COUNT,
       j.success_task_count AS SUCCESS_TASK_COUNT,
       j.result AS RESULT,
       j.comment AS COMMENT
FROM tidemark.delete_job_history j

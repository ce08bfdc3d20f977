-- scope: sys
SELECT j.job_id AS JOB_ID,
       j.job_type AS JOB_TYPE,
       j.status AS JOB_STATUS,
       j.result_code AS RESULT_CODE,
       j.progress AS PROGRESS,
       j.start_time AS START_TIME,
       j.modify_time AS MODIFY_TIME,
       j.tenant_id AS TENANT_ID,
       j.sql_text AS SQL_TEXT,
       j.extra_info AS EXTRA_INFO,
       s.ip AS RS_SVR_IP,
       s.rpc_port AS RS_SVR_PORT
FROM tidemark.tenant_job j JOIN tidemark.server s ON s.id = 1

-- scope: sys
-- Tidemark's own: the work that is not over, whatever its kind, who does it, and what it waits for.
SELECT w.kind AS KIND,
       w.tenant_id AS TENANT_ID,
       w.job_id AS JOB_ID,
       w.state AS STATE,
       w.attempt AS ATTEMPT,
       CAST(w.create_time AS DATETIME(6)) AS CREATE_TIMESTAMP,
       NULLIF(w.owner_node, 0) AS SERVER_ID,
       w.waiting_for AS WAITING_FOR,
       CAST(w.next_run AS DATETIME(6)) AS NEXT_RUN_TIMESTAMP,
       IF(w.cancelled, 'YES', 'NO') AS CANCELED
FROM tidemark.work w

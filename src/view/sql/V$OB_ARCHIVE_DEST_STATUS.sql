-- scope: sys, tenant
-- SYNCHRONIZED: the archive lags behind the present by no more than the tenant's archive_lag_target
SELECT d.tenant_id AS TENANT_ID,
       d.dest_id AS DEST_ID,
       d.path AS PATH,
       r.status AS STATUS,
       GREATEST(r.checkpoint_scn, IFNULL(c.scn, r.checkpoint_scn)) AS CHECKPOINT_SCN,
       CAST(IF(r.status = 'DOING' AND UNIX_TIMESTAMP() * 1000000 <= GREATEST(r.checkpoint_scn, IFNULL(c.scn, r.checkpoint_scn)) DIV 1000 + COALESCE(v.number, p.default_number),
               'YES', 'NO') AS CHAR(32)) AS SYNCHRONIZED,
       r.comment AS COMMENT
FROM tidemark.archive_destination d
    JOIN tidemark.archive_round r ON r.tenant_id = d.tenant_id AND r.dest_id = d.dest_id
    LEFT JOIN tidemark.archive_covered c ON c.tenant_id = r.tenant_id AND c.round_id = r.round_id
    JOIN tidemark.parameter_definition p ON p.name = 'archive_lag_target'
    LEFT JOIN tidemark.parameter_value v ON v.tenant_id = d.tenant_id AND v.name = p.name
WHERE r.round_id = (SELECT MAX(m.round_id) FROM tidemark.archive_round m WHERE m.tenant_id = d.tenant_id)

-- scope: sys, tenant
SELECT d.tenant_id AS TENANT_ID, BIGINT(0) AS DEST_NO, n.name AS NAME,
       CASE n.name
           WHEN 'binding' THEN d.binding
           WHEN 'dest_id' THEN d.dest_id
           WHEN 'path' THEN d.path
           WHEN 'piece_switch_interval' THEN CONCAT(d.piece_switch_days, 'd')
           ELSE d.state
       END AS VALUE
FROM tidemark.archive_destination d JOIN (
    SELECT 'binding' AS name UNION ALL SELECT 'dest_id' UNION ALL SELECT 'path'
    UNION ALL SELECT 'piece_switch_interval' UNION ALL SELECT 'state') n

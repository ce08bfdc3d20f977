-- scope: sys, tenant
SELECT d.tenant_id AS TENANT_ID,
       'data_backup_dest' AS NAME,
       LONGTEXT(d.path) AS VALUE
FROM tidemark.backup_destination d

-- scope: sys, tenant
SELECT NAME, VALUE
FROM oceanbase.CDB_OB_BACKUP_PARAMETER
WHERE TENANT_ID = (SELECT tenant_id FROM tidemark.own_tenant)

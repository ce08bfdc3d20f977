-- scope: sys, tenant
SELECT BACKUP_SET_ID, KEEP_UNTIL
FROM oceanbase.CDB_TM_BACKUP_SET_KEEP
WHERE TENANT_ID = (SELECT tenant_id FROM tidemark.own_tenant)

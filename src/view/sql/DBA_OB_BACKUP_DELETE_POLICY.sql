-- scope: sys, tenant
SELECT POLICY_NAME, RECOVERY_WINDOW
FROM oceanbase.CDB_OB_BACKUP_DELETE_POLICY
WHERE TENANT_ID = (SELECT tenant_id FROM tidemark.own_tenant)

-- scope: sys, tenant
SELECT TENANT_ID, TENANT_NAME, SVR_IP, SQL_PORT
FROM oceanbase.CDB_OB_ACCESS_POINT
WHERE TENANT_ID = (SELECT tenant_id FROM tidemark.own_tenant)

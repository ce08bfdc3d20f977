-- scope: sys, tenant
SELECT DEST_NO, NAME, VALUE
FROM oceanbase.CDB_OB_ARCHIVE_DEST
WHERE TENANT_ID = (SELECT tenant_id FROM tidemark.own_tenant)

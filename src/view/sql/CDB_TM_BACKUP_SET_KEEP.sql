-- scope: sys, tenant
-- the sets that no policy and no statement removes. KEEP_UNTIL is NULL for those that stay for ever, or beyond 2038
SELECT k.tenant_id AS TENANT_ID,
       k.backup_set_id AS BACKUP_SET_ID,
       SCN_TEXT(IF(k.until = 4611686018427387903, NULL, k.until)) AS KEEP_UNTIL
FROM tidemark.backup_keep k
WHERE k.until > UNIX_TIMESTAMP(NOW(6)) * 1000000000

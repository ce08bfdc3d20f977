-- scope: sys, tenant
SELECT p.tenant_id AS TENANT_ID,
       p.policy_name AS POLICY_NAME,
       p.recovery_window AS RECOVERY_WINDOW
FROM tidemark.delete_policy p

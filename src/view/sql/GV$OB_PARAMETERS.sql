-- scope: sys, tenant
-- a tenant's parameter once per tenant, a cluster's once, with TENANT_ID NULL; on every server
SELECT s.ip AS SVR_IP,
       s.rpc_port AS SVR_PORT,
       s.zone AS ZONE,
       d.scope AS SCOPE,
       t.tenant_id AS TENANT_ID,
       d.name AS NAME,
       d.data_type AS DATA_TYPE,
       COALESCE(v.value, d.default_value) AS VALUE,
       d.info AS INFO,
       d.section AS SECTION,
       d.edit_level AS EDIT_LEVEL,
       d.default_value AS DEFAULT_VALUE,
       CAST(IF(COALESCE(v.value, d.default_value) = d.default_value, 'YES', 'NO') AS CHAR(3)) AS ISDEFAULT
FROM tidemark.server s JOIN tidemark.parameter_definition d
    LEFT JOIN tidemark.tenant t ON d.scope = 'TENANT'
    LEFT JOIN tidemark.parameter_value v ON v.name = d.name AND v.tenant_id = COALESCE(t.tenant_id, 0)

-- scope: sys, tenant
SELECT t.tenant_id AS TENANT_ID,
       t.name AS TENANT_NAME,
       s.ip AS SVR_IP,
       s.sql_port AS SQL_PORT
FROM tidemark.tenant t JOIN tidemark.unit u ON u.tenant_id = t.tenant_id JOIN tidemark.server s ON s.id = u.server_id

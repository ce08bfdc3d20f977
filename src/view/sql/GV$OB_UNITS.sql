-- scope: sys, tenant
-- oracle: SVR_IP, SVR_PORT, UNIT_ID, TENANT_ID, ZONE, ZONE_TYPE, REGION, MIN_CPU, MAX_CPU, MEMORY_SIZE, MIN_IOPS,
--     MAX_IOPS, IOPS_WEIGHT, LOG_DISK_SIZE, LOG_DISK_IN_USE, DATA_DISK_IN_USE, STATUS, CREATE_TIME
SELECT s.ip AS SVR_IP,
       s.rpc_port AS SVR_PORT,
       u.id AS UNIT_ID,
       u.tenant_id AS TENANT_ID,
       u.zone AS ZONE,
       CAST('ReadWrite' AS CHAR(128)) AS ZONE_TYPE,
       z.region AS REGION,
       c.max_cpu AS MAX_CPU,
       c.min_cpu AS MIN_CPU,
       c.memory_size AS MEMORY_SIZE,
       c.max_iops AS MAX_IOPS,
       c.min_iops AS MIN_IOPS,
       c.iops_weight AS IOPS_WEIGHT,
       c.log_disk_size AS LOG_DISK_SIZE,
       u.log_disk_in_use AS LOG_DISK_IN_USE,
       u.data_disk_in_use AS DATA_DISK_IN_USE,
       CAST('NORMAL' AS CHAR(64)) AS STATUS,
       u.create_time AS CREATE_TIME
FROM tidemark.unit u JOIN tidemark.server s ON s.id = u.server_id
    JOIN tidemark.unit_config c ON c.id = u.unit_config_id
    JOIN tidemark.zone z ON z.name = u.zone
WHERE u.tenant_id IS NOT NULL

-- scope: sys
SELECT u.id AS UNIT_ID,
       u.tenant_id AS TENANT_ID,
       CAST('ACTIVE' AS CHAR(128)) AS STATUS,
       u.pool_id AS RESOURCE_POOL_ID,
       u.group_id AS UNIT_GROUP_ID,
       u.create_time AS CREATE_TIME,
       u.modify_time AS MODIFY_TIME,
       u.zone AS ZONE,
       s.ip AS SVR_IP,
       s.rpc_port AS SVR_PORT,
       CAST(NULL AS CHAR(46)) AS MIGRATE_FROM_SVR_IP,
       BIGINT(NULL) AS MIGRATE_FROM_SVR_PORT,
       CAST(NULL AS CHAR(3)) AS MANUAL_MIGRATE,
       u.unit_config_id AS UNIT_CONFIG_ID,
       c.max_cpu AS MAX_CPU,
       c.min_cpu AS MIN_CPU,
       c.memory_size AS MEMORY_SIZE,
       c.log_disk_size AS LOG_DISK_SIZE,
       c.max_iops AS MAX_IOPS,
       c.min_iops AS MIN_IOPS,
       c.iops_weight AS IOPS_WEIGHT
FROM tidemark.unit u JOIN tidemark.server s ON s.id = u.server_id
    JOIN tidemark.unit_config c ON c.id = u.unit_config_id

-- scope: sys
-- log and data share one file system, so both capacities are its size
SELECT s.ip AS SVR_IP,
       s.rpc_port AS SVR_PORT,
       s.zone AS ZONE,
       s.sql_port AS SQL_PORT,
       r.cpu_capacity AS CPU_CAPACITY,
       CAST(r.cpu_capacity AS DOUBLE) AS CPU_CAPACITY_MAX,
       COALESCE(a.min_cpu, CAST(0 AS DOUBLE)) AS CPU_ASSIGNED,
       COALESCE(a.max_cpu, CAST(0 AS DOUBLE)) AS CPU_ASSIGNED_MAX,
       r.memory_capacity AS MEM_CAPACITY,
       COALESCE(a.memory_size, BIGINT(0)) AS MEM_ASSIGNED,
       r.disk_capacity AS LOG_DISK_CAPACITY,
       COALESCE(a.log_disk_size, BIGINT(0)) AS LOG_DISK_ASSIGNED,
       r.log_disk_in_use AS LOG_DISK_IN_USE,
       r.disk_capacity AS DATA_DISK_CAPACITY,
       r.data_disk_in_use AS DATA_DISK_IN_USE,
       CAST('NORMAL' AS CHAR(20)) AS DATA_DISK_HEALTH_STATUS,
       r.memory_capacity AS MEMORY_LIMIT,
       IF(FALSE, s.create_time, NULL) AS DATA_DISK_ABNORMAL_TIME,
       IF(FALSE, s.create_time, NULL) AS SSL_CERT_EXPIRED_TIME
FROM tidemark.server s JOIN tidemark.server_resource r ON r.server_id = s.id
    LEFT JOIN (
        SELECT u.server_id, SUM(c.min_cpu) AS min_cpu, SUM(c.max_cpu) AS max_cpu,
               CAST(SUM(c.memory_size) AS SIGNED) AS memory_size, CAST(SUM(c.log_disk_size) AS SIGNED) AS log_disk_size
        FROM tidemark.unit u JOIN tidemark.unit_config c ON c.id = u.unit_config_id
        GROUP BY u.server_id) a ON a.server_id = s.id

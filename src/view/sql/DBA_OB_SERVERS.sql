-- scope: sys
SELECT s.ip AS SVR_IP,
       s.rpc_port AS SVR_PORT,
       s.id AS ID,
       s.zone AS ZONE,
       s.sql_port AS SQL_PORT,
       CAST(IF(s.id = 1, 'YES', 'NO') AS CHAR(3)) AS WITH_ROOTSERVER,
       CAST('ACTIVE' AS CHAR(64)) AS STATUS,
       s.start_service_time AS START_SERVICE_TIME,
       IF(FALSE, s.create_time, NULL) AS STOP_TIME,
       IF(FALSE, s.create_time, NULL) AS BLOCK_MIGRATE_IN_TIME,
       IF(FALSE, s.create_time, NULL) AS LAST_OFFLINE_TIME,
       s.create_time AS CREATE_TIME,
       s.modify_time AS MODIFY_TIME,
       s.build_version AS BUILD_VERSION
FROM tidemark.server s

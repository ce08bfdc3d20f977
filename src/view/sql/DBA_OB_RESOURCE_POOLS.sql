-- scope: sys
SELECT p.id AS RESOURCE_POOL_ID,
       p.name AS NAME,
       p.tenant_id AS TENANT_ID,
       p.create_time AS CREATE_TIME,
       p.modify_time AS MODIFY_TIME,
       p.unit_count AS UNIT_COUNT,
       p.unit_config_id AS UNIT_CONFIG_ID,
       p.zone_list AS ZONE_LIST,
       CAST('FULL' AS CHAR(18)) AS REPLICA_TYPE
FROM tidemark.resource_pool p

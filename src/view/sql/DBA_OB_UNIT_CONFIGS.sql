-- scope: sys
SELECT c.id AS UNIT_CONFIG_ID,
       c.name AS NAME,
       c.create_time AS CREATE_TIME,
       c.modify_time AS MODIFY_TIME,
       c.max_cpu AS MAX_CPU,
       c.min_cpu AS MIN_CPU,
       c.memory_size AS MEMORY_SIZE,
       c.log_disk_size AS LOG_DISK_SIZE,
       c.max_iops AS MAX_IOPS,
       c.min_iops AS MIN_IOPS,
       c.iops_weight AS IOPS_WEIGHT
FROM tidemark.unit_config c

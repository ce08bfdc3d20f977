-- scope: sys, tenant
-- oracle: SVR_IP, SVR_PORT, UNIT_ID, TENANT_ID, ZONE, ZONE_TYPE, REGION, MIN_CPU, MAX_CPU, MEMORY_SIZE, MIN_IOPS,
--     MAX_IOPS, IOPS_WEIGHT, LOG_DISK_SIZE, LOG_DISK_IN_USE, DATA_DISK_IN_USE, STATUS, CREATE_TIME
-- what belongs to the server that is asked; with one server, everything
SELECT * FROM oceanbase.GV$OB_UNITS

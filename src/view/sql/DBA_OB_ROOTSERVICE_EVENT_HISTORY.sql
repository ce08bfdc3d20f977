-- scope: sys
SELECT e.at AS TIMESTAMP,
       e.module AS MODULE,
       e.event AS EVENT,
       e.name1 AS NAME1, e.value1 AS VALUE1,
       e.name2 AS NAME2, e.value2 AS VALUE2,
       e.name3 AS NAME3, e.value3 AS VALUE3,
       e.name4 AS NAME4, e.value4 AS VALUE4,
       e.name5 AS NAME5, e.value5 AS VALUE5,
       e.name6 AS NAME6, e.value6 AS VALUE6,
       e.extra_info AS EXTRA_INFO,
       s.ip AS RS_SVR_IP,
       s.rpc_port AS RS_SVR_PORT
FROM tidemark.rootservice_event e JOIN tidemark.server s ON s.id = 1

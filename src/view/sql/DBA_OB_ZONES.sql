-- scope: sys
SELECT z.name AS ZONE,
       z.create_time AS CREATE_TIME,
       z.modify_time AS MODIFY_TIME,
       'ACTIVE' AS STATUS,
       z.idc AS IDC,
       z.region AS REGION,
       'ReadWrite' AS TYPE
FROM tidemark.zone z

-- scope: sys, tenant
SELECT f.tenant_id AS TENANT_ID,
       f.finding_id AS FINDING_ID,
       f.status AS STATUS,
       f.kind AS KIND,
       f.object AS OBJECT,
       f.what AS DESCRIPTION,
       f.dest_id AS DEST_ID,
       f.backup_set_id AS BACKUP_SET_ID,
       f.round_id AS ROUND_ID,
       f.piece_id AS PIECE_ID,
       f.first_seen AS FIRST_SEEN_TIMESTAMP,
       f.last_seen AS LAST_SEEN_TIMESTAMP,
       f.closed_time AS CLOSED_TIMESTAMP,
       f.first_job_id AS FIRST_JOB_ID,
       f.last_job_id AS LAST_JOB_ID,
       f.lost_sets AS LOST_BACKUP_SETS,
       f.lost_ranges AS LOST_SCN_RANGES,
       -- of several ranges: where the first begins, and the last ends
       v.lost_from AS LOST_FROM_SCN,
       SCN_TEXT(v.lost_from) AS LOST_FROM_SCN_DISPLAY,
       v.lost_to AS LOST_TO_SCN,
       SCN_TEXT(v.lost_to) AS LOST_TO_SCN_DISPLAY
FROM tidemark.validate_finding f JOIN (
    SELECT tenant_id, finding_id,
           IF(OCTET_LENGTH(lost_ranges) = 0, NULL, CAST(SUBSTRING_INDEX(lost_ranges, '-', 1) AS UNSIGNED)) AS lost_from,
           IF(OCTET_LENGTH(lost_ranges) = 0, NULL, CAST(SUBSTRING_INDEX(lost_ranges, '-', -1) AS UNSIGNED)) AS lost_to
    FROM tidemark.validate_finding) v ON v.tenant_id = f.tenant_id AND v.finding_id = f.finding_id

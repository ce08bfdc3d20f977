-- scope: sys, tenant
-- Tidemark's own: which points a restore can reach and which it cannot, by the rules of restore/restore_plan.cpp.
WITH RECURSIVE
-- What leans on a set that is BROKEN is as good as BROKEN: see catalog::leansOnBroken().
broken AS (
    SELECT s.tenant_id, s.backup_set_id FROM tidemark.backup_set s WHERE s.file_status = 'BROKEN'
    UNION
    SELECT s.tenant_id, s.backup_set_id
    FROM tidemark.backup_set s JOIN broken b ON b.tenant_id = s.tenant_id
        AND b.backup_set_id IN (s.prev_inc_set_id, s.prev_full_set_id)),
-- Pieces of a round between which none is missing have the same number `run`.
piece AS (
    SELECT p.tenant_id, p.round_id, p.piece_id, p.start_scn, p.checkpoint_scn, p.max_scn,
           p.piece_id - ROW_NUMBER() OVER (PARTITION BY p.tenant_id, p.round_id ORDER BY p.piece_id) AS run
    FROM tidemark.archive_piece p
    WHERE p.file_status IN ('AVAILABLE', 'EXPIRED')),
-- Where pieces are missing behind a run, the last transaction is its end. A round that begins before the end of another,
-- since the clock was set back, ends it. Counted is what the destination itself says: checkpoint_scn.
log_range AS (
    SELECT p.tenant_id, p.round_id, p.run, MIN(p.start_scn) AS from_scn, MAX(p.piece_id) AS last_piece_id,
           LEAST(MAX(GREATEST(p.start_scn, IF(p.piece_id = r.used_piece_id, p.checkpoint_scn, p.max_scn))),
                 IFNULL((SELECT MIN(n.start_scn) - 1 FROM tidemark.archive_round n
                         WHERE n.tenant_id = p.tenant_id AND n.round_id > p.round_id AND n.start_scn > 0),
                        18446744073709551615)) AS to_scn,
           MAX(r.path) AS path,
           -- what comes will be in it
           MAX(p.piece_id = r.used_piece_id AND r.status IN ('BEGINNING', 'DOING', 'STOPPING')) AS goes_on
    FROM piece p JOIN tidemark.archive_round r ON r.tenant_id = p.tenant_id AND r.round_id = p.round_id
    GROUP BY p.tenant_id, p.round_id, p.run),
-- A set without log behind it restores to its own point, or as far as the log reaches that it carries itself.
reached AS (
    SELECT s.tenant_id, s.backup_set_id, s.path AS data_path, s.min_restore_scn AS from_scn,
           l.round_id, l.last_piece_id, l.path AS log_path, IFNULL(l.goes_on, 0) AS goes_on,
           LEAST(GREATEST(IFNULL(l.to_scn, s.min_restore_scn), s.log_end_scn),
                 IFNULL(LEAD(s.min_restore_scn) OVER (PARTITION BY s.tenant_id
                                                      ORDER BY s.min_restore_scn, s.backup_set_id) - 1,
                        18446744073709551615)) AS to_scn
    FROM tidemark.backup_set s
    LEFT JOIN log_range l ON l.tenant_id = s.tenant_id AND s.min_restore_scn BETWEEN l.from_scn AND l.to_scn
    WHERE s.status = 'SUCCESS' AND s.file_status IN ('AVAILABLE', 'EXPIRED') AND s.min_restore_scn > 0
      AND (s.tenant_id, s.backup_set_id) NOT IN (SELECT tenant_id, backup_set_id FROM broken)),
-- Of two sets at one point the later one is taken.
restorable AS (
    SELECT w.*,
           LEAD(w.from_scn) OVER (PARTITION BY w.tenant_id ORDER BY w.from_scn) AS next_scn,
           LEAD(w.backup_set_id) OVER (PARTITION BY w.tenant_id ORDER BY w.from_scn) AS next_set_id
    FROM reached w WHERE w.to_scn >= w.from_scn),
first_log AS (
    SELECT l.tenant_id, MIN(l.from_scn) AS from_scn,
           (SELECT MIN(w.from_scn) FROM restorable w WHERE w.tenant_id = l.tenant_id) AS set_scn
    FROM log_range l GROUP BY l.tenant_id),
rows_of_both AS (
    SELECT w.tenant_id, 'YES' AS restorable, w.from_scn, w.to_scn, w.backup_set_id, w.round_id,
           CONCAT_WS(',', w.data_path, w.log_path) AS restore_from, NULL AS gap_reason
    FROM restorable w
    UNION ALL
    SELECT w.tenant_id, 'NO', w.to_scn + 1, w.next_scn - 1, NULL, w.round_id, NULL,
           CONCAT(CASE
                WHEN w.round_id IS NULL THEN CONCAT('there is no log behind set ', w.backup_set_id)
                WHEN p.piece_id IS NOT NULL
                    THEN CONCAT('piece ', p.piece_id, ' of round ', w.round_id, ' is ', p.file_status)
                WHEN r.status = 'INTERRUPTED'
                    THEN CONCAT_WS(': ', CONCAT('round ', w.round_id, ' of the log was interrupted'),
                                   IF(OCTET_LENGTH(r.comment) = 0, NULL, r.comment))
                ELSE CONCAT('round ', w.round_id, ' of the log ends there') END,
            IF(w.next_scn IS NULL, '; no newer set can be restored',
               CONCAT('; set ', w.next_set_id, ' is the next one')))
    FROM restorable w
    LEFT JOIN tidemark.archive_round r ON r.tenant_id = w.tenant_id AND r.round_id = w.round_id
    LEFT JOIN tidemark.archive_piece p
        ON p.tenant_id = w.tenant_id AND p.round_id = w.round_id AND p.piece_id = w.last_piece_id + 1
    WHERE IF(w.next_scn IS NULL, w.goes_on = 0, w.next_scn - 1 > w.to_scn)
    UNION ALL
    SELECT f.tenant_id, 'NO', f.from_scn, f.set_scn - 1, NULL, NULL, NULL,
           IF(f.set_scn IS NULL, 'there is log, and no set that can be restored', 'there is log, and no set before it')
    FROM first_log f WHERE f.set_scn IS NULL OR f.from_scn < f.set_scn)
SELECT BIGINT(a.tenant_id) AS TENANT_ID,
       CAST(a.restorable AS CHAR(3)) AS RESTORABLE,
       CAST(a.from_scn AS UNSIGNED) AS FROM_SCN,
       SCN_TEXT(a.from_scn) AS FROM_SCN_DISPLAY,
       CAST(a.to_scn AS UNSIGNED) AS TO_SCN,
       SCN_TEXT(a.to_scn) AS TO_SCN_DISPLAY,
       BIGINT(a.backup_set_id) AS BACKUP_SET_ID,
       BIGINT(a.round_id) AS ROUND_ID,
       LONGTEXT(a.restore_from) AS RESTORE_FROM,
       LONGTEXT(a.gap_reason) AS GAP_REASON
FROM rows_of_both a
ORDER BY a.tenant_id, a.from_scn

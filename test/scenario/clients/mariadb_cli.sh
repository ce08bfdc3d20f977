#!/usr/bin/env bash
# The mariadb program through the front. Usage: mariadb_cli.sh HOST PORT USER@TENANT PASSWORD
set -uo pipefail
host=${1:-$TM_HOST} port=${2:-$TM_PORT} user=${3:-$TM_USER} export_password=${4-${TM_PASSWORD-}}
name=${user%@*} tenant=${user##*@}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

as() { MYSQL_PWD=$2 mariadb --no-defaults -h "$host" -P "$port" -u "$1" -NB "${@:3}" 2>&1; }
sql() { as "$user" "$export_password" "$@"; }
check() {  # what, expected (a glob), actual
    # shellcheck disable=SC2053
    if [[ $3 == $2 ]]; then echo "ok - $1"; else echo "not ok - $1: wanted '$2', got '${3:0:300}'"; failed=1; fi
}

check "login" 1 "$(sql -e 'SELECT 1')"
check "wrong password" "ERROR 1045 (28000)*" "$(as "$user" "wrong-$export_password" -e 'SELECT 1')"
check "unknown tenant" "ERROR 1045 (28000)*unknown tenant 'no_such_tenant'*5160*" \
    "$(as "$name@no_such_tenant" "$export_password" -e 'SELECT 1')"
check "cluster after the tenant" "$tenant" "$(as "$user#obcluster" "$export_password" -e 'SELECT '"'$tenant'")"

sql -e "CREATE OR REPLACE DATABASE cli_check; CREATE TABLE cli_check.t (a INT PRIMARY KEY, b TEXT)"
check "several statements" $'1\n2' "$(sql -e 'SELECT 1; SELECT 2')"
check "several statements in one packet" $'1\n2' "$(printf 'DELIMITER $$\nSELECT 1; SELECT 2$$\n' | sql)"
check "prepared statement in SQL" 42 "$(sql -e "PREPARE s FROM 'SELECT ? + 2'; SET @x = 40; EXECUTE s USING @x")"

seq 1 100000 | sed 's/.*/&\ttext of line &/' > "$work/rows.tsv"
check "LOAD DATA LOCAL" 100000 \
    "$(sql --local-infile=1 -e "LOAD DATA LOCAL INFILE '$work/rows.tsv' INTO TABLE cli_check.t; SELECT COUNT(*) FROM cli_check.t")"
{ printf "SELECT LENGTH('"; head -c 17000000 /dev/zero | tr '\0' x; printf "')"; } > "$work/big.sql"
check "query over 16 MiB" 17000000 "$(sql --max-allowed-packet=64M < "$work/big.sql")"
check "result over 16 MiB" 18000000 "$(sql --max-allowed-packet=64M -e "SELECT REPEAT('x', 18000000)" | tr -d '\n' | wc -c)"
check "compression asked for" 7 "$(sql --compress -e 'SELECT 7')"

check "own statement" "*$tenant*" "$(sql -e "${TM_OWN:-SHOW TENANT}")"
check "own statement between others" $'1\n*'"$tenant"$'*\n2' "$(sql -e "SELECT 1; ${TM_OWN:-SHOW TENANT}; SELECT 2")"
check "misspelt own statement" "*ERROR 1064 (42000)*" "$(sql -e 'ALTER SYSTEM MISSPELT')"

# Ctrl-C: the program kills its query over a second connection, by the id that the front gave it.
timeout --signal=INT 2 env MYSQL_PWD="$export_password" mariadb --no-defaults -h "$host" -P "$port" -u "$user" \
    --sigint-ignore=0 -e 'SELECT SLEEP(37)' > "$work/kill" 2>&1
gone() { [ "$(sql -e "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO = 'SELECT SLEEP(37)'")" = 0 ]; }
for _ in $(seq 100); do gone && break; sleep 0.05; done
check "Ctrl-C ends the query" 0 "$(sql -e "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO = 'SELECT SLEEP(37)'")"

sql -e "DROP DATABASE cli_check"
exit $failed

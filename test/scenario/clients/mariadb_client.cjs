// mariadb (npm) through the front. Usage: node mariadb_client.cjs HOST PORT USER@TENANT PASSWORD
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const mariadb = require('mariadb');
const { login, name, tenant, own, check, refused, isOurs, finish } = require('./check.cjs');

async function main() {
  // With a database, because without one this client leaves it out of COM_CHANGE_USER, which no server understands.
  const options = { ...login, database: 'information_schema', multipleStatements: true, maxAllowedPacket: 64 << 20 };
  const c = await mariadb.createConnection({ ...options, pipelining: true });
  const value = async (sql, args) => Object.values((await c.query(sql, args))[0])[0];
  check('login', (await value('SELECT 1')) == 1);
  await refused('wrong password', 1045, () => mariadb.createConnection({ ...login, password: 'wrong' + login.password }));
  await refused('unknown tenant', 1045, () => mariadb.createConnection({ ...login, user: name + '@no_such_tenant' }),
    "unknown tenant 'no_such_tenant'");

  await c.query('CREATE OR REPLACE DATABASE mariadb_check');
  await c.query('CREATE TABLE mariadb_check.t (a INT PRIMARY KEY, b TEXT)');
  const several = await c.query('SELECT 1 AS a; SELECT 2 AS a');
  check('several statements', several[0][0].a == 1 && several[1][0].a == 2, several);
  const together = await Promise.all([c.query('SELECT SLEEP(0.3) AS a'), c.query(own), c.query('SELECT 7 AS a'), c.execute(own)]);
  check('pipelining keeps the order', together[0][0].a == 0 && JSON.stringify(together[1]).includes(tenant) &&
    together[2][0].a == 7 && JSON.stringify(together[3]).includes(tenant), together);
  for (let i = 0; i < 3; ++i) {
    const [row] = await c.execute('SELECT ? + 2 AS a, ? AS b', [40, 'text']);
    check('prepared statement', Number(row.a) === 42 && row.b === 'text', row);
  }
  const batch = Array.from({ length: 5000 }, (_, i) => [i, `text ${i}`]);
  const inserted = await c.batch('INSERT INTO mariadb_check.t VALUES (?, ?)', batch);
  check('bulk', Number(inserted.affectedRows) === 5000, inserted);
  await c.query('TRUNCATE mariadb_check.t');
  const file = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'mariadb-check-')), 'rows.tsv');
  fs.writeFileSync(file, Array.from({ length: 100000 }, (_, i) => `${i}\ttext of line ${i}\n`).join(''));
  // The client allows no local files while it pipelines.
  const loader = await mariadb.createConnection({ ...options, pipelining: false, permitLocalInfile: true });
  await loader.query(`LOAD DATA LOCAL INFILE '${file}' INTO TABLE mariadb_check.t`);
  await loader.end();
  fs.rmSync(path.dirname(file), { recursive: true });
  check('LOAD DATA LOCAL', (await value('SELECT COUNT(*) FROM mariadb_check.t')) == 100000);
  check('query over 16 MiB', (await value('SELECT LENGTH(?)', ['x'.repeat(17000000)])) == 17000000);
  check('result over 16 MiB', (await value("SELECT REPEAT('x', 18000000)")).length === 18000000);
  const compressing = await mariadb.createConnection({ ...login, compress: true });
  check('compression asked for', (await compressing.query('SELECT 7 AS a'))[0].a == 7);
  await compressing.end();

  check('own statement', JSON.stringify(await c.query(own)).includes(tenant));
  check('own statement, prepared', JSON.stringify(await c.execute(own)).includes(tenant));
  try {
    check('own statement with parameters', false, await c.execute('ALTER SYSTEM RESTORE nothing FROM ? WITH ?', ['nonsense', 'x']));
  } catch (error) {
    check('own statement with parameters', isOurs(error), error);
  }
  await refused('misspelt own statement', 1064, () => c.query('ALTER SYSTEM MISSPELT'));

  await c.query("CREATE OR REPLACE USER mariadb_other IDENTIFIED BY 'other'");
  await c.changeUser({ user: 'mariadb_other@' + tenant, password: 'other', database: 'information_schema' });
  check('change user', (await value('SELECT CURRENT_USER()')) === 'mariadb_other@%');
  check('the session goes on', (await value('SELECT 3')) == 3);
  await c.changeUser({ user: login.user, password: login.password, database: 'information_schema' });
  // A refused change of user is for mysql2 to check: this client, before 3.5.3 (which needs Node 20), then waits for ever,
  // with MariaDB itself too.
  await c.reset();
  await c.query('DROP DATABASE mariadb_check');
  await c.query('DROP USER mariadb_other');
  await c.end();
}

main().catch((error) => check('no surprise', false, error)).finally(finish);

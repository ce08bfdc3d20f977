// mysql2 through the front. Usage: node mysql2_client.cjs HOST PORT USER@TENANT PASSWORD
const mysql = require('mysql2/promise');
const { Readable } = require('node:stream');
const { login, name, tenant, own, check, refused, isOurs, finish } = require('./check.cjs');

async function main() {
  const options = { ...login, multipleStatements: true, flags: ['+LOCAL_FILES'] };
  const c = await mysql.createConnection(options);
  const value = async (sql, args) => Object.values((await c.query(sql, args))[0][0])[0];
  check('login', (await value('SELECT 1')) === 1);
  await refused('wrong password', 1045, () => mysql.createConnection({ ...login, password: 'wrong' + login.password }));
  await refused('unknown tenant', 1045, () => mysql.createConnection({ ...login, user: name + '@no_such_tenant' }),
    "unknown tenant 'no_such_tenant'");

  await c.query('CREATE OR REPLACE DATABASE mysql2_check; CREATE TABLE mysql2_check.t (a INT PRIMARY KEY, b TEXT)');
  const [several] = await c.query('SELECT 1 AS a; SELECT 2 AS a');
  check('several statements', several[0][0].a === 1 && several[1][0].a === 2, several);
  for (let i = 0; i < 3; ++i) {
    const [[row]] = await c.execute('SELECT ? + 2 AS a, ? AS b', [40, 'text']);
    check('prepared statement', Number(row.a) === 42 && row.b === 'text', row);
  }
  const lines = Array.from({ length: 100000 }, (_, i) => Buffer.from(`${i}\ttext of line ${i}\n`));
  await c.query({ sql: "LOAD DATA LOCAL INFILE 'rows' INTO TABLE mysql2_check.t", infileStreamFactory: () => Readable.from(lines) });
  check('LOAD DATA LOCAL', (await value('SELECT COUNT(*) FROM mysql2_check.t')) === 100000);
  check('query over 16 MiB', (await value('SELECT LENGTH(?)', ['x'.repeat(17000000)])) === 17000000);
  check('result over 16 MiB', (await value("SELECT REPEAT('x', 18000000)")).length === 18000000);
  const compressing = await mysql.createConnection({ ...login, compress: true });
  check('compression asked for', (await compressing.query('SELECT 7 AS a'))[0][0].a === 7);
  await compressing.end();

  check('own statement', JSON.stringify((await c.query(own))[0]).includes(tenant));
  check('own statement, prepared', JSON.stringify((await c.execute(own))[0]).includes(tenant));
  try {
    check('own statement with parameters', false, await c.execute('ALTER SYSTEM RESTORE nothing FROM ? WITH ?', ['nonsense', 'x']));
  } catch (error) {
    check('own statement with parameters', isOurs(error), error);
  }
  await refused('misspelt own statement', 1064, () => c.query('ALTER SYSTEM MISSPELT'));

  await c.query("CREATE OR REPLACE USER mysql2_other IDENTIFIED BY 'other'");
  await c.changeUser({ user: 'mysql2_other@' + tenant, password: 'other' });
  check('change user', (await value('SELECT CURRENT_USER()')) === 'mysql2_other@%');
  await refused('change user to another tenant', 1045, () => c.changeUser({ user: 'root@no_such_tenant', password: '' }));
  check('the session goes on', (await value('SELECT 3')) === 3);
  await c.changeUser({ user: login.user, password: login.password });
  await c.query('DROP DATABASE mysql2_check; DROP USER mysql2_other');
  await c.end();
}

main().catch((error) => check('no surprise', false, error)).finally(finish);

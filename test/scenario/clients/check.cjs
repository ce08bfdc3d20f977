// What both npm clients share: arguments, and a report per check.
const argument = (index, name) => process.argv[index + 2] ?? process.env['TM_' + name];
const [host, port, user, password] = ['HOST', 'PORT', 'USER', 'PASSWORD'].map((name, index) => argument(index, name));
const at = user.lastIndexOf('@');
let failed = false;

function check(what, good, seen) {
  failed ||= !good;
  const shown = seen instanceof Error ? seen.message : JSON.stringify(seen, (_, v) => (typeof v === 'bigint' ? `${v}` : v));
  console.log(good ? `ok - ${what}` : `not ok - ${what}: ${(shown ?? '').slice(0, 300)}`);
}

async function refused(what, number, action, text = '') {
  try {
    check(what, false, await action());
  } catch (error) {
    check(what, (number === null || error.errno === number) && error.message.includes(text), error);
  }
}

// An error that only Tidemark can have given: OceanBase's numbers, or the MySQL numbers it shares with them.
const isOurs = (error) => [1210, 1227, 1235].includes(error.errno) || (error.errno >= 4000 && error.errno < 10000);

module.exports = {
  login: { host, port: Number(port), user, password },
  name: user.slice(0, at),
  tenant: user.slice(at + 1),
  own: process.env.TM_OWN ?? 'SHOW TENANT',
  check,
  refused,
  isOurs,
  finish: () => process.exit(failed ? 1 : 0),
};

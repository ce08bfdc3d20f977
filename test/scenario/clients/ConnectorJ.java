import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Properties;

/** MariaDB Connector/J through the front. Usage: java -cp mariadb-java-client.jar ConnectorJ.java HOST PORT USER@TENANT PASSWORD */
public class ConnectorJ {
    static String host, port, user, password;
    static boolean failed = false;

    interface Action {
        void run() throws SQLException;
    }

    static String argument(String[] arguments, int index, String name) {
        return arguments.length > index ? arguments[index] : System.getenv("TM_" + name);
    }

    static void check(String what, boolean good, Object seen) {
        failed |= !good;
        System.out.println(good ? "ok - " + what : "not ok - " + what + ": " + seen);
    }

    static void refused(String what, int number, String text, Action action) {
        try {
            action.run();
            check(what, false, "no error");
        } catch (SQLException error) {
            check(what, error.getErrorCode() == number && error.getMessage().contains(text), error);
        }
    }

    static Connection connect(String as, String secret, String options) throws SQLException {
        Properties properties = new Properties();
        properties.setProperty("user", as);
        properties.setProperty("password", secret);
        return DriverManager.getConnection("jdbc:mariadb://" + host + ":" + port + "/" + options, properties);
    }

    static String value(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement(); ResultSet result = statement.executeQuery(sql)) {
            StringBuilder all = new StringBuilder();
            while (result.next()) {
                for (int i = 1; i <= result.getMetaData().getColumnCount(); ++i) all.append(result.getString(i)).append(' ');
            }
            return all.toString().trim();
        }
    }

    static void run(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    static void statements(Connection c) throws SQLException {
        run(c, "CREATE OR REPLACE DATABASE jdbc_check");
        run(c, "CREATE TABLE jdbc_check.t (a INT PRIMARY KEY, b TEXT)");
        try (Statement statement = c.createStatement()) {
            statement.execute("SELECT 1; SELECT 2");
            boolean second = statement.getMoreResults();
            ResultSet result = statement.getResultSet();
            check("several statements", second && result.next() && result.getInt(1) == 2, second);
        }
        try (PreparedStatement statement = c.prepareStatement("SELECT ? + 2, ?")) {
            for (int i = 0; i < 3; ++i) {
                statement.setInt(1, 40);
                statement.setString(2, "text");
                ResultSet result = statement.executeQuery();
                check("prepared statement", result.next() && result.getInt(1) == 42 && result.getString(2).equals("text"), result);
            }
        }
        try (PreparedStatement statement = c.prepareStatement("INSERT INTO jdbc_check.t VALUES (?, ?)")) {
            for (int i = 0; i < 5000; ++i) {
                statement.setInt(1, i);
                statement.setString(2, "text " + i);
                statement.addBatch();
            }
            check("bulk", statement.executeBatch().length == 5000, "wrong count");
        }
        run(c, "TRUNCATE jdbc_check.t");
        StringBuilder rows = new StringBuilder();
        for (int i = 0; i < 100000; ++i) rows.append(i).append("\ttext of line ").append(i).append('\n');
        try (Statement statement = c.createStatement()) {
            statement.unwrap(org.mariadb.jdbc.MariaDbStatement.class)
                .setLocalInfileInputStream(new ByteArrayInputStream(rows.toString().getBytes(StandardCharsets.UTF_8)));
            statement.execute("LOAD DATA LOCAL INFILE 'rows' INTO TABLE jdbc_check.t");
        }
        check("LOAD DATA LOCAL", value(c, "SELECT COUNT(*) FROM jdbc_check.t").equals("100000"), "wrong count");
        check("query over 16 MiB", value(c, "SELECT LENGTH('" + "x".repeat(17000000) + "')").equals("17000000"), "wrong length");
        check("result over 16 MiB", value(c, "SELECT REPEAT('x', 18000000)").length() == 18000000, "wrong length");
        run(c, "DROP DATABASE jdbc_check");
    }

    static void ownStatements(Connection c, String tenant) throws SQLException {
        String own = System.getenv().getOrDefault("TM_OWN", "SHOW TENANT");
        check("own statement", value(c, own).contains(tenant), value(c, own));
        try (PreparedStatement statement = c.prepareStatement(own)) {
            for (int i = 0; i < 2; ++i) {
                ResultSet result = statement.executeQuery();
                StringBuilder all = new StringBuilder();
                while (result.next()) {
                    for (int k = 1; k <= result.getMetaData().getColumnCount(); ++k) all.append(result.getString(k)).append(' ');
                }
                check("own statement, prepared", all.toString().contains(tenant), all);
            }
        }
        try (PreparedStatement statement = c.prepareStatement("ALTER SYSTEM RESTORE nothing FROM ? WITH ?")) {
            statement.setString(1, "nonsense");
            statement.setString(2, "x");
            statement.execute();
            check("own statement with parameters", false, "no error");
        } catch (SQLException error) {
            int number = error.getErrorCode();
            boolean ours = number == 1210 || number == 1227 || number == 1235 || (number >= 4000 && number < 10000);
            check("own statement with parameters", ours, error);
        }
        refused("misspelt own statement", 1064, "", () -> run(c, "ALTER SYSTEM MISSPELT"));
        check("the session goes on", value(c, "SELECT 3").equals("3"), "");
    }

    public static void main(String[] arguments) throws SQLException {
        host = argument(arguments, 0, "HOST");
        port = argument(arguments, 1, "PORT");
        user = argument(arguments, 2, "USER");
        password = argument(arguments, 3, "PASSWORD");
        String name = user.substring(0, user.lastIndexOf('@')), tenant = user.substring(user.lastIndexOf('@') + 1);
        refused("wrong password", 1045, "", () -> connect(user, "wrong" + password, ""));
        refused("unknown tenant", 1045, "unknown tenant 'no_such_tenant'", () -> connect(name + "@no_such_tenant", password, ""));
        // The driver's own texts first, then statements prepared at the server, then compression asked for.
        for (String options : new String[] {"", "&useServerPrepStmts=true&useBulkStmts=true", "&useCompression=true"}) {
            System.out.println("# options " + options);
            try (Connection c = connect(user, password, "?allowMultiQueries=true&allowLocalInfile=true" + options)) {
                check("login", value(c, "SELECT 1").equals("1"), "");
                statements(c);
                ownStatements(c, tenant);
            }
        }
        System.exit(failed ? 1 : 0);
    }
}

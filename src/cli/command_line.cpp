#include "cli/command_line.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <iostream>

#include "base/version.h"
#include "cli/commands.h"
#include "cli/connection.h"
#include "cli/log_listing.h"

namespace tidemark::cli {
namespace {

struct Arguments {
    ConnectionOptions connection;
    bool json = false;
    bool forever = false;
    BackupCommand backup;
    RestoreCommand restore;
    LogCommand log;
};

void addConnection(CLI::App& app, ConnectionOptions& options) {
    app.add_option("-h,--host", options.host, "Node to connect to")->capture_default_str();
    app.add_option("-P,--port", options.port, "Port of the node")->capture_default_str()->check(CLI::Range(1, 65535));
    app.add_option("-u,--user", options.user, "user@tenant")->capture_default_str();
    app.add_option("-p,--password", options.password,
                   "Password; better in the environment: TIDEMARK_PASSWORD or MYSQL_PWD");
}

void addBackup(CLI::App& app, Arguments& arguments) {
    auto* command = app.add_subcommand("backup", "Back up tenants and show the progress");
    command->add_option("tenant", arguments.backup.tenants, "Tenants; without any: all that can be backed up");
    command->add_option("--description", arguments.backup.description, "Text kept with the job");
    command->add_flag("!--no-wait", arguments.backup.wait, "Only start it");
}

void addRestore(CLI::App& app, Arguments& arguments) {
    auto* command = app.add_subcommand("restore", "Restore a backup into a new tenant and show the progress");
    command->add_option("tenant", arguments.restore.tenant, "Name of the new tenant")->required();
    command->add_option("--from", arguments.restore.from, "Data and archive destination: 'file:///a,file:///b'")
        ->required();
    command->add_option("--pool", arguments.restore.pools, "Resource pool for it, not granted yet")->required();
    auto* time =
        command->add_option("--until-time", arguments.restore.until_time, "Moment, 'YYYY-MM-DD HH:MM:SS[.ffffff]'");
    command->add_option("--until-scn", arguments.restore.until_scn, "Moment, as SCN")->excludes(time);
    command->add_option("--description", arguments.restore.description, "Text kept with the job");
    command->add_flag("--activate", arguments.restore.activate, "Open it for writing once restored");
    command->add_flag("!--no-wait", arguments.restore.wait, "Only start it");
}

void addLog(CLI::App& app, Arguments& arguments) {
    auto* command = app.add_subcommand("log", "List what lies in a log archive; needs no node");
    command->add_option("uri", arguments.log.uri, "Archive destination, file:///path")->required();
    command->add_option("--from", arguments.log.from, "From this time on, 'YYYY-MM-DD HH:MM:SS[.ffffff]'");
    command->add_option("--until", arguments.log.until, "Up to this time");
    command->add_flag("--ddl", arguments.log.ddl_only, "Only statements that changed definitions");
}

int run(CLI::App& app, Arguments& arguments) {
    arguments.log.json = arguments.json;
    if (app.got_subcommand("log")) return listLog(arguments.log);
    auto client = arguments.connection.connectToSys();
    if (app.got_subcommand("status")) return showStatus(client, arguments.json);
    if (app.got_subcommand("backup")) return runBackup(client, arguments.backup);
    if (app.got_subcommand("restore")) return runRestore(client, arguments.restore);
    if (app.got_subcommand("watch")) return watch(client, arguments.forever, arguments.json);
    return shutdownNode(client);
}

}  // namespace

int runCommandLine(int argc, const char* const* argv) {
    CLI::App app("Talks to a Tidemark node, in SQL. Exit codes: 0 done, 1 the job failed, 2 an error.", "tidemark");
    app.set_help_flag("--help", "Print this help and exit");  // -h is the host, as with the mariadb client
    app.set_version_flag("--version", kVersion);
    // Not 1 at least: then a command that does not exist would be told as one that is missing.
    app.require_subcommand(0, 1);
    app.fallthrough();
    Arguments arguments;
    addConnection(app, arguments.connection);
    app.add_flag("--json", arguments.json, "status, watch, log: print JSON");
    app.add_subcommand("status", "Tenants, their archive and last backup, and what runs now");
    addBackup(app, arguments);
    addRestore(app, arguments);
    app.add_subcommand("watch", "Live progress of every running backup and restore")
        ->add_flag("--forever", arguments.forever, "Go on when nothing runs");
    addLog(app, arguments);
    app.add_subcommand("shutdown", "End the node and its databases");
    try {
        app.parse(argc, argv);
        if (app.get_subcommands().empty()) throw CLI::RequiredError("A command");
        const int code = run(app, arguments);
        std::cout.flush();
        if (std::cout.good() && std::fflush(stdout) == 0) return code;
        std::cerr << "tidemark: the output could not be written\n";
        return 2;
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : 2;
    } catch (const Error& error) {
        const std::string number = error.sql() ? "ERROR " + std::to_string(error.sql()->number) + ": " : "";
        const std::string hint = error.hint().empty() ? "" : " (hint: " + error.hint() + ")";
        std::cerr << "tidemark: " << number << error.what() << hint << '\n';
        return 2;
    } catch (const std::exception& error) {
        std::cerr << "tidemark: " << error.what() << '\n';
        return 2;
    }
}

}  // namespace tidemark::cli

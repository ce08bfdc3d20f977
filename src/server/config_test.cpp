#include "server/config.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "testing/mariadb_server.h"

namespace tidemark::server {
namespace {

std::variant<Config, int> parse(std::vector<const char*> arguments) {
    arguments.insert(arguments.begin(), "tidemarkd");
    return parseConfig(static_cast<int>(arguments.size()), arguments.data());
}

int exitOf(const std::vector<const char*>& arguments) {
    const auto parsed = parse(arguments);
    return std::holds_alternative<int>(parsed) ? std::get<int>(parsed) : -1;
}

TEST(Config, HasDefaultsThatWork) {
    const auto config = std::get<Config>(parse({}));
    EXPECT_EQ(config.port, 2881);
    EXPECT_EQ(config.bind, "127.0.0.1");
    EXPECT_EQ(config.zone, "zone1");
    EXPECT_EQ(config.log_level, "info");
    EXPECT_EQ(config.sys_memory, 128U << 20);
    EXPECT_EQ(config.workers, 0U);
    EXPECT_EQ(config.piece_interval, std::chrono::seconds(0));
    EXPECT_EQ(config.data_dir, defaultDataDirectory());
}

TEST(Config, TakesTheCommandLineBeforeTheFile) {
    const testing::TemporaryDirectory directory;
    const auto file = (directory.path() / "tidemark.toml").string();
    std::ofstream(file) << "# a comment\nport = 3000\nzone = \"z9\"\ndata-dir = \"/srv/x/\"\nsys-memory = \"256MB\"\n"
                        << "piece-interval = 5\n";
    const auto config = std::get<Config>(parse({"--config", file.c_str(), "--port", "4000"}));
    EXPECT_EQ(config.port, 4000);
    EXPECT_EQ(config.zone, "z9");
    EXPECT_EQ(config.data_dir, "/srv/x");
    EXPECT_EQ(config.sys_memory, 256U << 20);
    EXPECT_EQ(config.piece_interval, std::chrono::seconds(5));
}

TEST(Config, MakesTheDataDirectoryAbsolute) {
    EXPECT_EQ(std::get<Config>(parse({"--data-dir", "x/../y"})).data_dir, std::filesystem::current_path() / "y");
}

TEST(Config, SaysWhoIsToBlameByTheExitCode) {
    EXPECT_EQ(exitOf({"--help"}), 0);
    EXPECT_EQ(exitOf({"--version"}), 0);
    EXPECT_EQ(exitOf({"--no-such-option"}), 64);
    EXPECT_EQ(exitOf({"--port", "65536"}), 64);
    EXPECT_EQ(exitOf({"--bind", "localhost"}), 64);
    EXPECT_EQ(exitOf({"--zone", "a;b"}), 64);
    EXPECT_EQ(exitOf({"--log-level", "loud"}), 64);
    EXPECT_EQ(exitOf({"--sys-memory", "63MB"}), 64);
    EXPECT_EQ(exitOf({"--piece-interval", "0"}), 64);
    EXPECT_EQ(exitOf({"--workers", "17"}), 64);
    EXPECT_EQ(exitOf({"--config", "/no/such/file"}), 78);
    const testing::TemporaryDirectory directory;
    const auto file = (directory.path() / "bad.toml").string();
    std::ofstream(file) << "prot = 3000\n";
    EXPECT_EQ(exitOf({"--config", file.c_str()}), 78);
}

}  // namespace
}  // namespace tidemark::server

#include "mysql/option_file.h"

namespace tidemark::mysql {
namespace {

/// In double quotes, where MariaDB's programs understand these escapes.
std::string quoted(const std::string& value) {
    std::string result = "\"";
    for (const char c : value) {
        if (c == '\\' || c == '"') result += '\\';
        if (c == '\n') {
            result += "\\n";
        } else {
            result += c;
        }
    }
    return result + "\"";
}

}  // namespace

std::string optionFile(const std::string& section, const Endpoint& endpoint) {
    std::string text =
        "[" + section + "]\nuser=" + quoted(endpoint.user) + "\npassword=" + quoted(endpoint.password) + "\n";
    if (!endpoint.socket.empty()) return text + "socket=" + quoted(endpoint.socket) + "\n";
    return text + "host=" + quoted(endpoint.host) + "\nport=" + std::to_string(endpoint.port) + "\n";
}

}  // namespace tidemark::mysql

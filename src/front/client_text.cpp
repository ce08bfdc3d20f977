#include "front/client_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "base/secret.h"
#include "front/tenant_query.h"
#include "oceanbase/ob_error.h"

namespace tidemark::front {
namespace {

/// Three bytes for one at most, twice for HEX: what fits into queryTenant's 64 KiB.
constexpr std::size_t kLongest = 8192;

bool isAscii(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x80; });
}

/// Whether a text of this character set is taken as UTF-8.
bool isUtf8(std::string_view charset) {
    static constexpr auto kNames = std::to_array<std::string_view>({"utf8mb4", "utf8mb3", "utf8", "ascii", "binary"});
    return std::find(kNames.begin(), kNames.end(), charset) != kNames.end();
}

std::string conversionOf(std::string_view text, std::string_view charset) {
    std::string digits;
    for (const unsigned char byte : text)
        digits += fmt::format("{:02x}", byte);
    return fmt::format("SELECT HEX(CONVERT(_{} 0x{} USING utf8mb4)) LIMIT 1", charset, digits);
}

}  // namespace

net::Awaitable<std::string> utf8OfClient(Connection& connection, std::string text, Shown shown) {
    // By name: what is returned as a parameter would be copied, and a password stay where it was.
    if (isAscii(text)) co_return std::move(text);
    const auto charsets = co_await queryTenant(connection, "SELECT HEX(@@character_set_client) LIMIT 1");
    const std::string charset = fromHex(charsets.at(0).at(0));
    if (isUtf8(charset)) co_return std::move(text);
    if (shown == Shown::ToNobody) {
        wipe(text);
        throw obError(Ob::NotSupported, fmt::format("a statement with a password, in {}, is", charset),
                      "SET NAMES utf8mb4, then send it again");
    }
    if (text.size() > kLongest) {
        throw obError(Ob::NotSupported, fmt::format("a text of over {} bytes in {} is", kLongest, charset),
                      "SET NAMES utf8mb4");
    }
    const std::string conversion = conversionOf(text, charset);
    const auto converted = co_await queryTenant(connection, conversion);
    co_return fromHex(converted.at(0).at(0));
}

}  // namespace tidemark::front

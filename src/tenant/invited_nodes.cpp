#include "tenant/invited_nodes.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <sstream>
#include <string_view>
#include <vector>

namespace tidemark {
namespace {

/// Of either family in network byte order; IPv4 as ::ffff:a.b.c.d, so that a client of a dual-stack socket is the same
/// one.
using Address = std::array<unsigned char, 16>;
constexpr unsigned kMappedBits = 96;

struct Network {
    Address address{};
    unsigned bits = 128;
};

std::optional<Address> parseAddress(const std::string& text) {
    Address address{};
    if (inet_pton(AF_INET6, text.c_str(), address.data()) == 1) return address;
    address[10] = address[11] = 0xff;
    if (inet_pton(AF_INET, text.c_str(), address.data() + 12) == 1) return address;
    return std::nullopt;
}

/// How many bits "24" or "255.255.255.0" keeps of an address.
std::optional<unsigned> parseMask(const std::string& text, bool v4) {
    unsigned bits = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), bits);
    if (problem == std::errc() && end == text.data() + text.size()) {
        if (bits > (v4 ? 32 : 128)) return std::nullopt;
        return v4 ? kMappedBits + bits : bits;
    }
    in_addr dotted{};
    if (!v4 || inet_pton(AF_INET, text.c_str(), &dotted) != 1) return std::nullopt;
    const std::uint32_t mask = ntohl(dotted.s_addr);
    const auto ones = static_cast<unsigned>(__builtin_popcount(mask));
    const bool contiguous = ones == 0 || mask == ~std::uint32_t{0} << (32 - ones);
    if (!contiguous) return std::nullopt;
    return kMappedBits + ones;
}

std::optional<Network> parseNetwork(const std::string& item) {
    const auto slash = item.find('/');
    const std::string address = item.substr(0, slash);
    const auto parsed = parseAddress(address);
    if (!parsed) return std::nullopt;
    if (slash == std::string::npos) return Network{*parsed, 128};
    const auto bits = parseMask(item.substr(slash + 1), address.find(':') == std::string::npos);
    if (!bits) return std::nullopt;
    return Network{*parsed, *bits};
}

bool contains(const Network& network, const Address& address) {
    const unsigned whole = network.bits / 8;
    if (!std::equal(address.begin(), address.begin() + whole, network.address.begin())) return false;
    const unsigned rest = network.bits % 8;
    return rest == 0 || (address[whole] ^ network.address[whole]) >> (8 - rest) == 0;
}

bool isPattern(const std::string& item) {
    return item.find_first_of("%_") != std::string::npos &&
           item.find_first_not_of("0123456789abcdefABCDEF.:%_") == std::string::npos;
}

/// Greedy, going back to the last % only: no pattern takes longer than the product of the lengths.
bool isLike(std::string_view text, std::string_view pattern) {
    std::size_t at = 0, next = 0;
    std::size_t any = std::string_view::npos, retry = 0;
    while (at < text.size()) {
        if (next < pattern.size() && pattern[next] == '%') {
            any = next++;
            retry = at;
        } else if (next < pattern.size() && (pattern[next] == '_' || pattern[next] == text[at])) {
            ++at, ++next;
        } else if (any != std::string_view::npos) {
            at = ++retry;
            next = any + 1;
        } else {
            return false;
        }
    }
    return pattern.find_first_not_of('%', next) == std::string_view::npos;
}

std::vector<std::string> itemsOf(const std::string& list) {
    std::vector<std::string> items;
    std::istringstream in(list);
    for (std::string item; std::getline(in, item, ',');) {
        std::erase(item, ' ');
        if (!item.empty()) items.push_back(item);
    }
    return items;
}

}  // namespace

bool isInvited(const std::string& list, const std::string& address) {
    const auto client = parseAddress(address);
    return std::ranges::any_of(itemsOf(list), [&](const std::string& item) {
        if (isPattern(item)) return isLike(address, item);
        const auto network = parseNetwork(item);
        return client && network && contains(*network, *client);
    });
}

bool isInvitedList(const std::string& list) {
    return std::ranges::all_of(itemsOf(list),
                               [](const std::string& item) { return isPattern(item) || parseNetwork(item); });
}

}  // namespace tidemark

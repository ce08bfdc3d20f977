#include "archive/descriptor.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/error.h"
#include "base/hash.h"

namespace tidemark::archive {
namespace {

constexpr std::string_view kChecksum = "xxh3=";

Error corrupt(const std::string& object, const std::string& why) {
    return {ErrorCode::Corrupt, fmt::format("{} is damaged: {}", object, why)};
}

}  // namespace

Descriptor& Descriptor::set(const std::string& name, std::string value) {
    // A line end would begin another value; texts of servers may have one.
    std::replace(value.begin(), value.end(), '\n', ' ');
    values_[name] = std::move(value);
    return *this;
}

const std::string& Descriptor::text(const std::string& name) const {
    const auto found = values_.find(name);
    if (found == values_.end()) throw corrupt(object_, "it has no " + name);
    return found->second;
}

std::uint64_t Descriptor::number(const std::string& name) const {
    const std::string& value = text(name);
    std::uint64_t number = 0;
    const auto [end, failure] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (failure != std::errc{} || end != value.data() + value.size()) throw corrupt(object_, name + " is no number");
    return number;
}

mysql::GtidPosition Descriptor::position(const std::string& name) const {
    try {
        return mysql::GtidPosition::parse(text(name));
    } catch (const Error& error) {
        throw corrupt(object_, name + ": " + error.what());
    }
}

Bytes Descriptor::encode() const {
    ByteWriter out;
    for (const auto& [name, value] : values_)
        out.text(name).text("=").text(value).text("\n");
    const std::string sum = fmt::format("{}{:016x}\n", kChecksum, xxh3(out.data()));
    return out.text(sum).take();
}

Descriptor Descriptor::decode(ByteView bytes, const std::string& object) {
    constexpr std::size_t kSumSize = kChecksum.size() + 16 + 1;
    if (bytes.size() < kSumSize) throw corrupt(object, fmt::format("it has only {} bytes", bytes.size()));
    const ByteView body = bytes.first(bytes.size() - kSumSize);
    if (textOf(bytes.last(kSumSize)) != fmt::format("{}{:016x}\n", kChecksum, xxh3(body))) {
        throw corrupt(object, "its checksum is wrong");
    }
    Descriptor descriptor;
    descriptor.object_ = object;
    std::string_view rest = textOf(body);
    while (!rest.empty()) {
        const auto end = rest.find('\n');
        const auto equals = rest.find('=');
        if (end == std::string_view::npos || equals > end) throw corrupt(object, "a line has no '='");
        descriptor.values_[std::string(rest.substr(0, equals))] = rest.substr(equals + 1, end - equals - 1);
        rest.remove_prefix(end + 1);
    }
    return descriptor;
}

}  // namespace tidemark::archive

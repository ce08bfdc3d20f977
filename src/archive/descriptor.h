#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/bytes.h"
#include "mysql/gtid.h"

namespace tidemark::archive {

/// The content of the small objects of an archive: lines `name=value`, sorted, the last one a checksum of the others,
/// so that a person can read what a program checks. See docs/format/archive_piece.md.
class Descriptor {
public:
    Descriptor& set(const std::string& name, std::string value);
    Descriptor& set(const std::string& name, std::uint64_t value) { return set(name, std::to_string(value)); }

    /// Throw Corrupt, naming the object, if there is no such line or its value is not of the kind.
    const std::string& text(const std::string& name) const;
    std::uint64_t number(const std::string& name) const;
    mysql::GtidPosition position(const std::string& name) const;

    Bytes encode() const;
    /// Throws Corrupt, naming `object`, for anything but what encode() makes.
    static Descriptor decode(ByteView bytes, const std::string& object);

private:
    std::string object_ = "a new descriptor";
    std::map<std::string, std::string> values_;
};

}  // namespace tidemark::archive

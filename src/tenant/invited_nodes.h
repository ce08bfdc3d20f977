#pragma once

#include <string>

namespace tidemark {

/// The value of ob_tcp_invited_nodes: which client addresses may log in to a tenant. Items, separated by commas, are
/// - an address: 192.168.1.1, ::1;
/// - a pattern as of LIKE: 192.168.1.%, 192.168.1._, %;
/// - a network: 192.168.1.0/24, 192.168.1.0/255.255.255.0, 2001:db8::/32.
/// Source: OceanBase's documentation, "Network security access control".

/// Whether any item of the list matches. Items that are none of the above match nothing.
bool isInvited(const std::string& list, const std::string& address);

/// Whether every item is one of the above. A list without items is well-formed, and nobody is invited.
bool isInvitedList(const std::string& list);

}  // namespace tidemark

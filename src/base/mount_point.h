#pragma once

#include <filesystem>
#include <string>

namespace tidemark {

enum class MountState {
    None,     ///< nothing is mounted there, or there is nothing
    Serving,  ///< it answers
    Dead,     ///< its program has ended: whoever uses it gets ENOTCONN
};

/// Of a directory that a program of ours may have mounted a FUSE file system at. Asks that program: waits for as long
/// as it hangs.
MountState mountState(const std::filesystem::path& at);

/// False if somebody has something open in it. What is dirty is written first. Throws Unavailable if it cannot be.
bool unmount(const std::filesystem::path& at);
/// It is gone at once; its program ends when nobody has anything open in it any more. Nothing happens if there is none.
void detachMount(const std::filesystem::path& at);

/// Whether a FUSE file system can be mounted here, as far as that can be told before it is tried. Why not; empty: it
/// can.
std::string whyNoMounts();

}  // namespace tidemark

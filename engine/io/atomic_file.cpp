// SPDX-License-Identifier: Apache-2.0
#include "engine/io/atomic_file.h"

#include "engine/core/error.h"

#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <string>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>
#include <vector>

namespace fkv::io {

namespace {

[[noreturn]] void fail(const std::filesystem::path& path, int error) {
    throw Error(ErrorCode::Io, "cannot write " + path.string() + ": " +
                                   std::generic_category().message(error));
}

// mkstemp makes files private, but a finished file should be as readable as the one it replaces, or
// as an ordinary new one. The umask is left alone: reading it means setting it, for every thread.
mode_t wantedMode(const std::filesystem::path& path) {
    struct stat info {};
    if (::stat(path.c_str(), &info) == 0) return info.st_mode & 0777U;
    return 0644;
}

}  // namespace

AtomicFile::AtomicFile(std::filesystem::path path) : m_path(std::move(path)) {
    std::error_code ignored;
    if (std::filesystem::is_directory(m_path, ignored)) fail(m_path, EISDIR);
    // Through a link, so that the link survives and the rename stays within one file system.
    if (std::filesystem::is_symlink(m_path, ignored)) {
        std::error_code error;
        const auto target = std::filesystem::weakly_canonical(m_path, error);
        if (!error) m_path = target;
    }
    // A rename would put an ordinary file in the place of a device.
    if (std::filesystem::exists(m_path, ignored) &&
        !std::filesystem::is_regular_file(m_path, ignored))
        throw Error(ErrorCode::Io, "cannot write " + m_path.string() + ": not a plain file");
    const std::string pattern = m_path.string() + ".part-XXXXXX";
    std::vector<char> name(pattern.begin(), pattern.end());
    name.push_back('\0');
    m_descriptor = ::mkostemp(name.data(), O_CLOEXEC);
    if (m_descriptor < 0) fail(m_path, errno);
    m_temporary = name.data();
    // Some file systems have no rights to set; the content matters more.
    (void)!::fchmod(m_descriptor, wantedMode(m_path));
}

AtomicFile::~AtomicFile() {
    if (m_descriptor >= 0) ::close(m_descriptor);
    if (!m_temporary.empty()) ::unlink(m_temporary.c_str());
}

void AtomicFile::write(std::span<const std::byte> bytes) {
    if (m_descriptor < 0) throw Error(ErrorCode::Internal, "write after commit");
    while (!bytes.empty()) {
        const ssize_t done = ::write(m_descriptor, bytes.data(), bytes.size());
        if (done < 0) {
            if (errno == EINTR) continue;
            fail(m_path, errno);
        }
        bytes = bytes.subspan(static_cast<std::size_t>(done));
    }
}

void AtomicFile::commit() {
    if (m_descriptor < 0) throw Error(ErrorCode::Internal, "commit twice");
    if (::fsync(m_descriptor) != 0 && errno != EINVAL) fail(m_path, errno);
    // close may report a late write error, and the descriptor is gone either way.
    if (::close(std::exchange(m_descriptor, -1)) != 0 && errno != EINTR) fail(m_path, errno);
    if (::rename(m_temporary.c_str(), m_path.c_str()) != 0) fail(m_path, errno);
    m_temporary.clear();
    // The new name lives in the folder; a folder that cannot be synced still holds a whole file.
    const std::filesystem::path parent = m_path.has_parent_path() ? m_path.parent_path() : ".";
    if (const int folder = ::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        folder >= 0) {
        ::fsync(folder);
        ::close(folder);
    }
}

}  // namespace fkv::io

// SPDX-License-Identifier: Apache-2.0
#include "engine/io/mapped_file.h"

#include "engine/core/error.h"

#include <cerrno>
#include <fcntl.h>
#include <string>
#include <sys/mman.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace fkv::io {

namespace {

struct Descriptor {
    int value = -1;
    explicit Descriptor(int v) : value(v) {}
    ~Descriptor() {
        if (value >= 0) ::close(value);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
};

[[noreturn]] void fail(const std::filesystem::path& path, int error) {
    const bool absent = error == ENOENT || error == ENOTDIR;
    throw Error(absent ? ErrorCode::NotFound : ErrorCode::Io,
                "cannot read " + path.string() + ": " + std::generic_category().message(error));
}

} // namespace

std::shared_ptr<const MappedFile> MappedFile::open(const std::filesystem::path& path) {
    // Non-blocking, or opening a pipe would wait for a writer before it can be refused.
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (file.value < 0) fail(path, errno);
    struct stat info {};
    if (::fstat(file.value, &info) != 0) fail(path, errno);
    if (!S_ISREG(info.st_mode))
        throw Error(ErrorCode::BadFile,
                    path.string() +
                        (S_ISDIR(info.st_mode) ? ": is a folder" : ": not a plain file"));

    std::shared_ptr<MappedFile> mapped(new MappedFile);
    mapped->m_path = path;
    if (info.st_size == 0) return mapped; // an empty range cannot be mapped
    const auto size = static_cast<std::size_t>(info.st_size);
    void* data = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.value, 0);
    if (data == MAP_FAILED) fail(path, errno);
    mapped->m_data = static_cast<const std::byte*>(data);
    mapped->m_size = size;
    return mapped;
}

std::shared_ptr<const MappedFile> MappedFile::own(std::vector<std::byte> bytes,
                                                  const std::filesystem::path& name) {
    std::shared_ptr<MappedFile> file(new MappedFile);
    file->m_path = name;
    file->m_owned = std::move(bytes);
    file->m_data = file->m_owned.data();
    file->m_size = file->m_owned.size();
    return file;
}

MappedFile::~MappedFile() {
    if (m_data != nullptr && m_owned.empty()) ::munmap(const_cast<std::byte*>(m_data), m_size);
}

} // namespace fkv::io

// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/run/failure.h"

#include "engine/core/error.h"

#include <QCoreApplication>
#include <new>

namespace fkv::app {

Failure failureOf(const std::exception_ptr& error) {
    const auto tr = [](const char* text) {
        return QCoreApplication::translate("fkv::app::Failure", text);
    };
    try {
        std::rethrow_exception(error);
    } catch (const Error& e) {
        return {QString::fromStdString(e.what()).simplified(), QString::fromStdString(e.hint()),
                e.code() == ErrorCode::Cancelled};
    } catch (const std::bad_alloc&) {
        return {tr("Not enough memory for this"),
                tr("Close other programs, shorten the prompt, or open a smaller model."), false};
    } catch (const std::exception& e) {
        return {tr("Unexpected fault: %1").arg(QString::fromLocal8Bit(e.what()).simplified()),
                tr("This is a mistake of the program; the earlier result is intact."), false};
    } catch (...) {
        return {tr("Unexpected fault"),
                tr("This is a mistake of the program; the earlier result is intact."), false};
    }
}

} // namespace fkv::app

# hw_flags: warnings, hardening and sanitizers for every object of the project.
add_library(hw_flags INTERFACE)
target_include_directories(hw_flags INTERFACE "${PROJECT_SOURCE_DIR}")
target_compile_definitions(hw_flags INTERFACE
	_GNU_SOURCE
	HW_VERSION="${PROJECT_VERSION}"
	HW_DATA_DIR="${CMAKE_INSTALL_FULL_DATADIR}/hullwatch"
	HW_CONFIG_DIR="${CMAKE_INSTALL_FULL_SYSCONFDIR}/hullwatch")
target_compile_options(hw_flags INTERFACE
	-Wall -Wextra -Wshadow -Wconversion -Wmissing-prototypes -Wvla
	-fstack-protector-strong -fstack-clash-protection -fno-omit-frame-pointer
	$<$<BOOL:${HW_WERROR}>:-Werror>)
if(CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64")
	target_compile_options(hw_flags INTERFACE -fcf-protection=full)
endif()
target_link_options(hw_flags INTERFACE -Wl,--as-needed -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack)

if(HW_SANITIZE)
	target_compile_options(hw_flags INTERFACE -fsanitize=${HW_SANITIZE} -fno-sanitize-recover=all)
	target_link_options(hw_flags INTERFACE -fsanitize=${HW_SANITIZE})
else()
	# Fortify needs an optimised build and hides errors from the sanitizers.
	target_compile_options(hw_flags INTERFACE
		$<$<NOT:$<CONFIG:Debug>>:-U_FORTIFY_SOURCE>
		$<$<NOT:$<CONFIG:Debug>>:-D_FORTIFY_SOURCE=3>)
endif()
if(HW_FUZZ)
	if(NOT CMAKE_C_COMPILER_ID MATCHES "Clang")
		message(FATAL_ERROR "HW_FUZZ needs clang: configure with -DCMAKE_C_COMPILER=clang")
	endif()
	target_compile_options(hw_flags INTERFACE -fsanitize=fuzzer-no-link)
	target_link_options(hw_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(HW_ANALYZE)
	target_compile_options(hw_flags INTERFACE -fanalyzer)
endif()
if(HW_COVERAGE)
	target_compile_options(hw_flags INTERFACE --coverage)
	target_link_options(hw_flags INTERFACE --coverage)
endif()

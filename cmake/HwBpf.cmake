# hw_bpf_object(NAME [FROM folder] [VARIANT word] [DEFINE name...])
#
# Kernel programs of FROM (the calling folder) -> generated/bpf/NAME.skel.h, target NAME_skel.
# With a VARIANT they are built a second time with other definitions, beside the first: the header
# keeps its name and is generated-VARIANT/bpf/NAME.skel.h, the target is NAME_skel_VARIANT.
#
# The folder's *.bpf.c are compiled one by one and linked into one object, unless NAME.bpf.c
# includes the others: then it alone is compiled. The variable HW_BPF_SKELETON is the header, or
# empty where there is nothing to build yet.
find_program(HW_CLANG NAMES clang clang-19 clang-18 clang-17 clang-16 clang-15 clang-14)
find_program(HW_BPFTOOL bpftool PATHS /usr/sbin /sbin)

function(hw_bpf_object name)
	cmake_parse_arguments(PARSE_ARGV 1 ARG "" "FROM;VARIANT" "DEFINE")
	set(HW_BPF_SKELETON "" PARENT_SCOPE)
	set(folder "${CMAKE_CURRENT_SOURCE_DIR}")
	if(ARG_FROM)
		set(folder "${ARG_FROM}")
	endif()
	set(generated "${PROJECT_BINARY_DIR}/generated")
	set(target ${name}_skel)
	if(ARG_VARIANT)
		string(APPEND generated "-${ARG_VARIANT}")
		string(APPEND target "_${ARG_VARIANT}")
	endif()
	file(GLOB sources CONFIGURE_DEPENDS "${folder}/*.bpf.c")
	if(NOT sources)
		return()
	endif()
	if(NOT HW_CLANG OR NOT HW_BPFTOOL)
		message(FATAL_ERROR "the kernel programs need clang and bpftool (Debian: clang bpftool)")
	endif()
	set(main "${folder}/${name}.bpf.c")
	if(EXISTS "${main}")
		set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${main}")
		file(STRINGS "${main}" includes REGEX "#[ \t]*include[ \t]*\".*\\.bpf\\.c\"")
		if(includes)
			set(sources "${main}")
		endif()
	endif()

	if(CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64")
		set(arch x86)
	elseif(CMAKE_SYSTEM_PROCESSOR STREQUAL "aarch64")
		set(arch arm64)
	else()
		set(arch ${CMAKE_SYSTEM_PROCESSOR})
	endif()
	list(TRANSFORM ARG_DEFINE PREPEND "-D" OUTPUT_VARIABLE definitions)
	set(flags -target bpf -O2 -g -std=gnu17 -D__TARGET_ARCH_${arch} -Wall -Wextra
		-Wno-unused-parameter -Wno-missing-declarations -Wno-address-of-packed-member
		$<$<BOOL:${HW_WERROR}>:-Werror>
		${definitions} -I${PROJECT_SOURCE_DIR} -idirafter /usr/include/${CMAKE_LIBRARY_ARCHITECTURE})

	set(objects)
	foreach(source IN LISTS sources)
		get_filename_component(stem "${source}" NAME_WLE)
		set(object "${CMAKE_CURRENT_BINARY_DIR}/${stem}.part.o")
		add_custom_command(
			OUTPUT "${object}"
			COMMAND ${HW_CLANG} ${flags} -MMD -MF ${object}.d -MT ${object} -c ${source} -o ${object}
			DEPENDS "${source}"
			DEPFILE "${object}.d"
			COMMENT "BPF ${stem} ${ARG_VARIANT}"
			COMMAND_EXPAND_LISTS VERBATIM)
		list(APPEND objects "${object}")
	endforeach()

	set(linked "${CMAKE_CURRENT_BINARY_DIR}/${name}.bpf.o")
	set(skeleton "${generated}/bpf/${name}.skel.h")
	file(MAKE_DIRECTORY "${generated}/bpf")
	add_custom_command(
		OUTPUT "${skeleton}"
		BYPRODUCTS "${linked}"
		COMMAND ${HW_BPFTOOL} gen object ${linked} ${objects}
		COMMAND ${HW_BPFTOOL} gen skeleton ${linked} name ${name} > ${skeleton}.tmp
		COMMAND ${CMAKE_COMMAND} -E rename ${skeleton}.tmp ${skeleton}
		DEPENDS ${objects}
		COMMENT "BPF skeleton ${name} ${ARG_VARIANT}"
		VERBATIM)
	add_custom_target(${target} DEPENDS "${skeleton}")
	set(HW_BPF_SKELETON "${skeleton}" PARENT_SCOPE)
endfunction()

# hw_library(NAME [LINK target...] [OWNS target...] [EXCLUDE file...])
#
# The static library of the calling folder, made of its *.c files. LINK names the folders that it
# may use, OWNS the system libraries whose headers stay inside it. A folder without sources yet
# becomes an interface library, so that the others can already link to it.
function(hw_library name)
	cmake_parse_arguments(PARSE_ARGV 1 ARG "" "" "LINK;OWNS;EXCLUDE")
	file(GLOB sources CONFIGURE_DEPENDS RELATIVE "${CMAKE_CURRENT_SOURCE_DIR}" "*.c")
	if(ARG_EXCLUDE)
		list(REMOVE_ITEM sources ${ARG_EXCLUDE})
	endif()
	if(NOT sources)
		add_library(${name} INTERFACE)
		target_link_libraries(${name} INTERFACE ${ARG_LINK} ${ARG_OWNS} hw_flags)
		return()
	endif()
	add_library(${name} STATIC ${sources})
	target_link_libraries(${name} PUBLIC ${ARG_LINK} hw_flags PRIVATE ${ARG_OWNS})
	set_property(GLOBAL APPEND PROPERTY HW_TIDY_LIBRARIES ${name})
endfunction()

# hw_embed(TARGET file...)
#
# Makes each file available to TARGET's sources as "FOLDER/FILE.h" with
# `static const char FILE_with_underscores[]`, terminated by NUL.
function(hw_embed target)
	get_target_property(type ${target} TYPE)
	if(type STREQUAL "INTERFACE_LIBRARY")
		return()
	endif()
	file(RELATIVE_PATH folder "${PROJECT_SOURCE_DIR}" "${CMAKE_CURRENT_SOURCE_DIR}")
	foreach(file IN LISTS ARGN)
		string(MAKE_C_IDENTIFIER "${file}" symbol)
		set(header "${PROJECT_BINARY_DIR}/generated/${folder}/${file}.h")
		add_custom_command(
			OUTPUT "${header}"
			COMMAND ${CMAKE_COMMAND} -DIN=${CMAKE_CURRENT_SOURCE_DIR}/${file} -DOUT=${header}
				-DSYMBOL=${symbol} -P ${PROJECT_SOURCE_DIR}/cmake/embed.cmake
			DEPENDS "${file}" "${PROJECT_SOURCE_DIR}/cmake/embed.cmake"
			VERBATIM)
		target_sources(${target} PRIVATE "${header}")
	endforeach()
	target_include_directories(${target} PRIVATE "${PROJECT_BINARY_DIR}/generated")
endfunction()

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
endfunction()

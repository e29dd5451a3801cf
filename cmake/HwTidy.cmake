# Targets format, format-check and tidy over the project's own C files.
find_program(HW_CLANG_FORMAT clang-format)
find_program(HW_CLANG_TIDY clang-tidy)
find_program(HW_RUN_CLANG_TIDY NAMES run-clang-tidy run-clang-tidy-14)

foreach(target IN ITEMS format format-check)
	add_custom_target(${target}
		COMMAND ${CMAKE_COMMAND} -E env CLANG_FORMAT=${HW_CLANG_FORMAT}
			python3 ${PROJECT_SOURCE_DIR}/tests/style/format.py ${target}
		WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}"
		USES_TERMINAL VERBATIM)
endforeach()

if(HW_RUN_CLANG_TIDY)
	add_custom_target(tidy
		COMMAND ${HW_RUN_CLANG_TIDY} -quiet -p ${PROJECT_BINARY_DIR} "${PROJECT_SOURCE_DIR}/[a-z].*"
		WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}"
		USES_TERMINAL VERBATIM)
	foreach(skeleton IN ITEMS hullwatch_skel hullwatch_skel_next)
		if(TARGET ${skeleton})
			add_dependencies(tidy ${skeleton})
		endif()
	endforeach()
endif()

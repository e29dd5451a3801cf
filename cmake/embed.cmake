# Script: writes the bytes of IN as the C array SYMBOL into OUT.
file(READ "${IN}" bytes HEX)
string(REGEX REPLACE "(................................)" "\\1\n\t" bytes "${bytes}")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1, " bytes "${bytes}")
file(WRITE "${OUT}" "static const char ${SYMBOL}[] = {\n\t${bytes}0x00,\n};\n")

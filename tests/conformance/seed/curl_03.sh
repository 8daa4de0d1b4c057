curl -X POST https://cn-shanghai-alicloud-aimesh.api.clickzetta.com/gateway/api/v1/services/aigc/video-generation/video-synthesis \
  -H "Authorization: Bearer $API_KEY" \
  -H "Content-Type: application/json" \
  -d '{ "model": "happyhorse-1.0-t2v", "input": { "prompt": "生成一段 5 秒视频:白色数据流穿过现代办公室,最终汇聚成 AI Gateway 标识。" } }'

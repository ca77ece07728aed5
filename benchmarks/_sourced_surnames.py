"""Surnames from public sources, for :mod:`benchmarks._common_surnames`: data alone.

- ``CN``, the spellings in Latin letters: the 601 surnames of ``familyname_orcid.csv`` of sinonym 0.5.1 (Apache-2.0; by
  their share of ORCID's records), in pinyin by pypinyin (MIT), which makes 277; then the Cantonese, Hokkien, Hakka and
  Wade-Giles spellings of name-variants 0.1.3 (MIT) and of Faker's zh_TW and zh_CN (MIT). ``CN_SIGNS``: the first 500 of
  the 601 as they are written.
- ``AU``: those of @faker-js/faker 10.6, locale en_AU (MIT), that the list by hand has not, in its alphabetical order.
- ``PACIFIC`` and ``VN``: those of Fiji and of Vietnam of popular-names-by-country-dataset (CC0, from Wikipedia) that
  the lists by hand have not.

Looked at and not used: lists that come from leaked accounts, whatever their licence says; lists sold under terms of
their own; lists of athletes and members of parliaments, which name people; the Vietnamese list of name-variants, which
holds given names. The CC0 set has 50 surnames of the Philippines, faker-js 26 of Vietnam: the lists by hand have them.
"""

from __future__ import annotations

CN = """
Wang Li Zhang Liu Chen Yang Zhao Zhou Wu Huang Sun Xu Zhu Ma Guo Hu Gao Lin He Zheng Song Luo Han Liang Tang Xie Feng
Cao Peng Tian Dong Cheng Yu Wei Yuan Xiao Deng Ding Du Cai Ren Jiang Lv Pan Ceng Ye Cui Fan Yao Su Jia Shen Jin Lu Xia
Shi Meng Fang Hou Zhong Fu Yan Qin Tan Bai Xue Xiong Yin Zou Liao Hao Duan Qiu Lei Dai Qian Shao Mao Gu Tao Chang Kong
Wan Niu Gong Ge Kang An Long Hong Xing Wen Qi Qiao Xiang Yue Yi Nie Jiao Ni Pang Di Geng Lai Zuo Huo Zhuang Shang Mo Qu
Bi Mei Pei Guan Bao Ouyang Ning Ji Sheng Miao Tong Dan Zhan Xin Chai Shu Tu Ke Lan Hua Ruan Gan You Ling Ou Jie Teng Si
Ran Weng Ai Dou Mou Mu Lian Rao Chu Dang Gui Lou Zang Bo Fei Bian Jing Pu Zhuo Zong Che Shuai Leng Xi Luan Qiang Nan Sui
Lang Sang Sha Chou Quan Diao Rong Hui Kou Cong Ying Mi Min Cha She Chi Kuang Ju Zhen Yun Jian Ping Le Gai Gou Ao Mai Cen
Zu Rui Qing Zhi Suo Xuan Yong Men Chao Ba Xiu Ban A Ru Nong Que Hang Lao Shankou Dao Shangguan Shuang Xian Tai Huan Kun
Bin Na Pi Huangfu Shou Zan Bei Shui Haoran Nv Junjie Jun Shuo Heng Gang Zi Chong Kai Tuo Yuxuan E Sima Chun Ben
Zhongshan Qie Xun Da Zhuge Wo Biao Yecun Ya Duo Kuai Bing Kui Situ Fa Jiubao Linghu Yuwen Huyan Lezheng Xianyu Gongyu
Nanrong Helian Dongfang Zhongzhang Murong Zongzheng Puyang Xiahou Duangan Wenren Sa Wong Ong Ang Lee Ly Cheung Cheong
Teo Tio Chung Jeung Lau Lew Low Liew Chan Chin Zen Chern Yeung Yeong Young Io Ng Oei Uy Wee Way Huong Chew Chiu Dzao Goh
Ngo Woo Chow Jou Tsou Chau Hsu Tsui Chui Kho Khoo Zee Lim Lam Lum Suen Soon Mah Choo Foo Kuo Kwok Kuok Kok Quek Ho Hoe
Kao Ko Koh Lo Law Loh Teh Tay Tee Ching Zeng Hsieh Tse Chia Sia Ze Leung Neo Soong Sung Thong Heui Hee Hon Hann Fung
Fong Foong Tsao Cho Phang Pheng Tsang Tseng Hsiao Siu Sieu Sew Tin Tung Yuen Poon Pua Yee Ee Chiang Tsiang Chua Tsai Soo
Soh See Yeh Yap Ip Yip Jip Lui Loo Ngai Shum Sim Phu Wah Wa Tsong Luu Choi Yam Luk Look Yeu Yiu Kim Gim Kam Kew Kiu Tam
Tham Ka Shek Hung Mang Sit Hau Pak Loong Lung Tuan Hak Shiu Seong Man Ku Lye Moo Yim Ngeam Chien Kung Keong Fam To Toh
Ngau Yung Gam Szeto Yau Heung Koon Mun Sam Mak Au Juk Hing Wun Kau Miu Cheuk Chee Kwai Po Bui Sin Shoo Soeng Kwan Kwaan
Chuang Shih Yen Hsueh Juan Ting Lien Tien Pai Hsia Kan Hsiung Jen Kuan Jao Chueh Hsin I Chih Pao Hsiang Chuan Tso Hsing
Keng Chieh Nieh Yueh Chiao Ti
""".split()  # noqa: SIM905
CN_SIGNS = """
王 李 张 刘 陈 杨 赵 周 吴 黄 孙 徐 朱 马 郭 胡 高 林 何 郑 宋 罗 韩 许 梁 唐 谢 冯 曹 彭 田 董 程 于 魏 袁 肖
邓 丁 杜 蔡 任 蒋 吕 潘 曾 汪 叶 崔 余 姜 范 姚 苏 贾 沈 金 卢 夏 石 孟 方 侯 钟 付 闫 秦 谭 白 薛 熊 尹 邹 陆
江 廖 郝 段 邱 史 武 雷 贺 戴 钱 邵 毛 顾 陶 常 孔 万 牛 龚 严 葛 汤 康 樊 安 龙 洪 邢 温 齐 韦 乔 黎 向 施 文
章 岳 易 申 代 聂 鲁 焦 倪 庞 傅 翟 耿 殷 颜 柳 赖 左 伍 霍 庄 尚 俞 莫 成 曲 毕 梅 裴 关 包 欧阳 宁 季 盛 谷
苗 童 祝 覃 单 纪 詹 辛 柴 舒 涂 喻 柯 兰 华 路 靳 阮 管 甘 游 骆 凌 祁 欧 解 房 滕 鲍 司 冉 屈 时 翁 艾 窦 牟
穆 连 阳 卫 符 项 饶 褚 党 商 桂 戚 蓝 缪 原 娄 臧 卜 费 宫 卞 景 尤 蒲 卓 宗 吉 边 古 师 车 柏 帅 冷 席 蒙 燕
巩 晏 姬 栾 强 南 隋 郎 桑 沙 冀 仇 全 邬 刁 荣 惠 寇 仲 瞿 丛 应 米 敏 查 楼 荆 虞 佟 佘 苑 池 官 匡 静 封 鞠
甄 迟 麻 楚 云 栗 简 占 储 平 阎 小 狄 乐 芦 和 闵 盖 厉 仝 胥 苟 敖 伊 谈 奚 巫 亓 麦 闻 洋 郜 蔺 郁 鹿 丰 国
禹 朴 屠 岑 旭 颖 谌 鄢 阚 祖 星 芮 卿 廉 相 智 邸 丘 索 宣 雍 公 邝 门 来 慕 东 支 丹 佳 倩 晶 都 晁 於 巴 修
伏 班 阿 嵇 波 宿 逯 丽 莹 候 茹 农 计 裘 敬 雒 井 练 薄 尉 越 阙 漆 杭 戎 劳 山口 檀 茅 束 粟 刀 亢 欣 郗 岩
上官 虎 瑶 呼 迪 青 睿 羊 操 琪 爽 鲜 邰 聪 阴 习 辜 元 月 欢 昌 萧 航 居 莉 戈 可 坤 银 宾 那 浦 盘 皮 湛 巨
皇甫 綦 咸 寿 干 新 利 冼 印 钮 危 天 昝 母 衣 贝 梦 水 但 户 弓 浩然 冶 毋 竺 女 玄 俊杰 揭 怡 由 逄 容 化 军
区 进 渠 薇 政 轩 帆 力 保 蹇 从 硕 晴 贠 庆 延 暴 种 宛 旷 萍 恒 刚 訾 濮 彬 子 凤 宝 珂 茆 冒 娇 奉 富 锐 才
幸 展 晗 昕 乌 晓 崇 双 淼 同 彤 开 君 尧 维 琴 茜 买 斯 庹 郇 宇轩 鄂 曦
""".split()  # noqa: SIM905
AU = """
Alexander Bahringer Barrows Bartell Bartoletti Barton Bauch Baumbach Bayer Beahan Beatty Becker Beier Berge Bergstrom
Bode Bogan Borer Bosco Botsford Boyer Boyle Braun Bruen Cartwright Casper Cassin Champlin Christiansen Collier Connelly
Conroy Corkery Cormier Corwin Cronin Crooks Cruickshank D'Amore Daniel Dare Daugherty Dickens Dickinson Dietrich Doherty
Donnelly Dooley Durgan Ebert Emard Emmerich Erdman Ernser Fadel Fahey Farrell Fay Feeney Feil Ferry Flatley Garden
Gleason Goldner Grady Greenfelder Greenholt Grimes Gutmann Hackett Hahn Haley Hammes Hane Hansen Harber Hartmann Heaney
Heathcote Heller Hermann Hermiston Hessel Hettinger Hickle Hills Hoppe Howe Howell Huel Hyatt Jacobi Jacobs Jacobson
Jerde Johns Keeling Kemmer Kessler Kiehn Kirlin Klein Koch Koelpin Kohler Koss Kovacek Kreiger Kris Kuhlman Kuhn Kulas
Kunde Kutch Lakin Lang Langworth Larkin Larson Leannon Leffler Lockman Macdonald Mann Marks Marvin Mayer Mccullough
Mcdermott Mckenzie Mclaughlin Monahan Morissette Morrison Mueller Muller Nader Nicolas O'Connell O'Conner O'Hara O'Keefe
O'Neill O'Reilly Olson Parisian Quigley Rees Reilly Reynolds Rice Ritchie Rodriguez Rohan Rolfson Rowe Russel Rutherford
Sanford Sauer Schmidt Schmitt Schneider Schroeder Schultz Shields Smitham Smyth Stanton Stark Thomson Tillman Towne
Tremblay Tromp Turcotte Walter Weber Welch Wilderman Wilkinson Williamson Windler
""".split()  # noqa: SIM905
PACIFIC = """
Chandra Nand Lata Deo Prakash Raj Maharaj Goundar
""".split()  # noqa: SIM905
VN = ("Trác", "Khúc", "Thường", "Ngọ")
